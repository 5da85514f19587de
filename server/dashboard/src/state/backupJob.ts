import { useCallback, useEffect, useRef, useState } from 'react';
import { getJobs, type Job } from '../api/jobs';

const kPollMs = 700;

interface BackupJob {
  // The newest job about backups: one that runs, or one that ended while this page looked at it.
  job: Job | null;
  follow: (job: Job) => void;
  dismiss: () => void;
}

// Follows the server's work on backups, whoever began it and wherever: work can be left and found again.
export function useBackupJob(onEnd: (job: Job) => void): BackupJob {
  const [job, setJob] = useState<Job | null>(null);
  const [turn, setTurn] = useState(0);
  const following = useRef<string | null>(null);
  const ended = useRef(onEnd);
  ended.current = onEnd;

  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        const jobs = (await getJobs(controller.signal)).filter(({ kind }) => kind.startsWith('backup.'));
        const current =
          jobs.find(({ id }) => id === following.current) ?? jobs.find(({ state }) => state === 'running');
        if (current) {
          following.current = current.id;
          setJob(current);
          if (current.state !== 'running') {
            following.current = null;
            ended.current(current);
            return;
          }
        } else if (following.current === null) {
          return;
        }
      } catch {
        if (controller.signal.aborted) return;
        // A restore may have ended the session or the server may be busy: the next look tells.
      }
      timer = setTimeout(() => void look(), kPollMs);
    };
    void look();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [turn]);

  const follow = useCallback((started: Job) => {
    following.current = started.id;
    setJob(started);
    setTurn((t) => t + 1);
  }, []);
  return { job, follow, dismiss: () => setJob(null) };
}
