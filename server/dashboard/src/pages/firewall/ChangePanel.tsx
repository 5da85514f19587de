import { useEffect, useRef, useState } from 'react';
import { rehearseDraft, type Firewall, type Rehearsal } from '../../api/firewall';
import { cancelJob, followJob, type Job } from '../../api/jobs';
import { toProblem, type Problem } from '../../api/problem';
import type { User } from '../../api/types';
import { JobProgress } from '../../components/JobProgress';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { ProblemBox } from '../../components/States';
import { may } from '../../state/session';
import { RehearsalResult } from './RehearsalResult';

interface Props {
  state: Firewall;
  user: User;
  onApply: () => void;
  onDiscard: () => void;
}

const kSpans = [
  { value: '-24h', label: '1 day' },
  { value: '-168h', label: '7 days' },
  { value: '-720h', label: '30 days' },
];

// What a flow between two others says of the rules depends on what this machine is.
const kRoles = [
  { value: 'unknown', label: 'not known' },
  { value: 'host', label: 'only seen here' },
  { value: 'router', label: 'forwarded here' },
];

// What the draft would change, tried on what has been before it is applied.
export function ChangePanel({ state, user, onApply, onDiscard }: Props) {
  const [since, setSince] = useState('-168h');
  const [role, setRole] = useState('unknown');
  const [job, setJob] = useState<Job<Rehearsal> | null>(null);
  // Left and found again under jobs: only the asking ends with the page.
  const stop = useRef(new AbortController());
  useEffect(() => {
    const controller = new AbortController();
    stop.current = controller;
    return () => controller.abort();
  }, []);
  const busy = job?.state === 'running';
  const [problem, setProblem] = useState<Problem | null>(null);
  const [result, setResult] = useState<{ version: number; rehearsal: Rehearsal } | null>(null);
  const rehearse = async () => {
    setProblem(null);
    try {
      const { version } = state;
      const ended = await followJob(await rehearseDraft(since, role), setJob, stop.current.signal);
      if (ended.result) setResult({ version, rehearsal: ended.result });
      if (ended.state === 'failed') throw new Error(ended.error);
    } catch (error) {
      if (!stop.current.signal.aborted) setProblem(toProblem(error));
    }
  };
  const { pending } = state;
  return (
    <Panel
      title="Draft"
      note={state.changed ? 'differs from the rules in force' : 'same as the rules in force'}
    >
      {state.changed && <pre className="diff">{state.diff_text}</pre>}
      {may(user, 'operator') ? (
        <div className="firewall-tools">
          <span className="labelled">
            <span className="field-label">Rehearse on the last</span>
            <Segmented label="Rehearse on the last" value={since} choices={kSpans} onChange={setSince} />
          </span>
          <span className="labelled">
            <span className="field-label">Traffic between others is</span>
            <Segmented label="Traffic between others is" value={role} choices={kRoles} onChange={setRole} />
          </span>
          <button
            type="button"
            className="button"
            aria-busy={busy}
            disabled={busy}
            onClick={() => void rehearse()}
          >
            Rehearse
          </button>
          {state.changed && (
            <button type="button" className="button" onClick={onDiscard}>
              Discard…
            </button>
          )}
          {may(user, 'admin') ? (
            <button
              type="button"
              className="button button-primary"
              disabled={!state.changed || pending !== null}
              onClick={onApply}
            >
              Apply…
            </button>
          ) : (
            <span className="muted">Applying needs the role admin.</span>
          )}
        </div>
      ) : (
        <p className="muted">Rules are drafted by operators and applied by administrators.</p>
      )}
      {busy && job && <JobProgress job={job} onCancel={() => void cancelJob(job.id)} />}
      {job?.state === 'cancelled' && <p className="muted">The rehearsal was stopped.</p>}
      {problem && <ProblemBox problem={problem} onRetry={() => void rehearse()} />}
      {result && <RehearsalResult rehearsal={result.rehearsal} isOld={result.version !== state.version} />}
    </Panel>
  );
}
