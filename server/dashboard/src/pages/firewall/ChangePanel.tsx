import { useState } from 'react';
import { rehearseDraft, type Firewall, type Rehearsal } from '../../api/firewall';
import { toProblem, type Problem } from '../../api/problem';
import type { User } from '../../api/types';
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

// What the draft would change, tried on what has been before it is applied.
export function ChangePanel({ state, user, onApply, onDiscard }: Props) {
  const [since, setSince] = useState('-168h');
  const [role, setRole] = useState('unknown');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [result, setResult] = useState<{ version: number; rehearsal: Rehearsal } | null>(null);
  const rehearse = async () => {
    setBusy(true);
    setProblem(null);
    try {
      setResult({ version: state.version, rehearsal: await rehearseDraft(since, role) });
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
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
          <Segmented label="Rehearse on" value={since} choices={kSpans} onChange={setSince} />
          <Segmented
            label="Traffic of others"
            value={role}
            choices={[
              { value: 'unknown', label: 'not known' },
              { value: 'host', label: 'only seen' },
              { value: 'router', label: 'forwarded' },
            ]}
            onChange={setRole}
          />
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
      {problem && <ProblemBox problem={problem} onRetry={() => void rehearse()} />}
      {result && <RehearsalResult rehearsal={result.rehearsal} isOld={result.version !== state.version} />}
    </Panel>
  );
}
