import { useState } from 'react';
import { actOnJob, getSchedule, type JobRun, type ScheduledJob } from '../../api/operations';
import type { User } from '../../api/types';
import { Panel } from '../../components/Panel';
import { Loaded, SkeletonLines } from '../../components/States';
import { RelativeTime } from '../../components/Time';
import { capitalised, formatDuration, inWords, plural } from '../../lib/format';
import { formatAbsolute, parseTime } from '../../lib/time';
import { useNow } from '../../state/hooks';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { useView } from '../../state/view';
import { TimingDialog } from './TimingDialog';

export function ScheduleSection({ user }: { user: User }) {
  const query = useQuery('schedule', getSchedule, 5000);
  return (
    <Panel title="Jobs" note="what the server does by itself" className="panel-schedule">
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={40} />}>
        {(jobs) => (
          <ul className="job-list">
            {jobs.map((job) => (
              <Job key={job.name} job={job} mayAct={may(user, 'admin')} onActed={query.reload} />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function stateOf(job: ScheduledJob): { word: string; tone: string } {
  if (job.running) return { word: 'running', tone: 'good' };
  if (job.requested) return { word: 'about to run', tone: 'good' };
  if (job.problem || job.failures_in_a_row > 0)
    return { word: job.paused ? 'failed, paused' : 'failed', tone: 'bad' };
  if (job.paused) return { word: 'paused', tone: 'watch' };
  return job.runs === 0 ? { word: 'waits for its first run', tone: 'plain' } : { word: 'fine', tone: 'good' };
}

interface JobProps {
  job: ScheduledJob;
  mayAct: boolean;
  onActed: () => void;
}

function Job({ job, mayAct, onActed }: JobProps) {
  const { zone } = useView();
  const now = useNow(1000);
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [timing, setTiming] = useState(false);
  const name = inWords(job.name);
  const act = async (what: 'pause' | 'resume' | 'run', done: string) => {
    setBusy(true);
    try {
      await actOnJob(job.name, what);
      notify(done);
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
      onActed();
    }
  };
  const { word, tone } = stateOf(job);
  const last = job.history[0];
  return (
    <li className="job" data-job={job.name}>
      <div className="job-head">
        <strong className="job-name">{capitalised(name)}</strong>
        <span className={`job-state tone-text-${tone}`}>{word}</span>
        <span className="job-actions">
          {mayAct && (
            <>
              <button
                type="button"
                className="button"
                disabled={busy || job.running}
                aria-label={`Run ${name} now`}
                onClick={() => void act('run', `${name} runs.`)}
              >
                Run now
              </button>
              <button
                type="button"
                className="button"
                aria-label={`Times of ${name}`}
                onClick={() => setTiming(true)}
              >
                Times…
              </button>
              {job.paused ? (
                <button
                  type="button"
                  className="button"
                  disabled={busy}
                  aria-label={`Resume ${name}`}
                  onClick={() => void act('resume', `${name} runs by itself again.`)}
                >
                  Resume
                </button>
              ) : (
                <button
                  type="button"
                  className="button"
                  disabled={busy}
                  aria-label={`Pause ${name}`}
                  onClick={() => void act('pause', `${name} no longer runs by itself.`)}
                >
                  Pause
                </button>
              )}
            </>
          )}
        </span>
      </div>
      <p className="muted">
        {job.description}. {job.timing_in_words.charAt(0).toUpperCase() + job.timing_in_words.slice(1)}
        {job.next_due && <>, next {formatAbsolute(parseTime(job.next_due), zone)}</>}.
      </p>
      {job.problem && <p className="bad">{job.problem}</p>}
      {last && (
        <p>
          Last: {describeRun(last)} <RelativeTime time={last.started} now={now} zone={zone} />
          {last.message && <>: {last.message}</>}.{' '}
          <span className="muted">
            {plural(job.runs, 'run')} in all, {job.failures} failed, {job.missed} missed.{' '}
          </span>
          <button type="button" className="text-button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Fewer runs' : `All runs of ${name}`}
          </button>
        </p>
      )}
      {timing && <TimingDialog job={job} onClose={() => setTiming(false)} onSaved={onActed} />}
      {open && (
        <ul className="run-list">
          {job.history.map((run) => (
            <li
              key={run.started}
              className={run.outcome === 'failed' || run.outcome === 'interrupted' ? 'bad' : ''}
            >
              {formatAbsolute(parseTime(run.started), zone)}: {describeRun(run)}
              {run.message && <>: {run.message}</>}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

const kCauses = { schedule: '', missed: ', late', by_hand: ', by hand' };

function describeRun(run: JobRun): string {
  const took = run.seconds === null ? '' : ` in ${formatDuration(run.seconds)}`;
  const missed = run.missed > 0 ? `, after ${plural(run.missed, 'missed run')}` : '';
  const word = run.outcome === 'ok' ? 'done' : run.outcome;
  return `${word}${took}${kCauses[run.cause]}${missed}`;
}
