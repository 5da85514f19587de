import { useState } from 'react';
import { changeDetector, getDetectors } from '../../api/endpoints';
import type { DetectorChange, DetectorRow, User } from '../../api/types';
import { Segmented } from '../../components/Segmented';
import { Loaded, SkeletonLines } from '../../components/States';
import {
  alertClassName,
  capitalised,
  detectorName,
  formatBytes,
  formatCount,
  inWords,
  plural,
} from '../../lib/format';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { DetectorDialog } from './DetectorDialog';

type Sensitivity = DetectorRow['sensitivity'];
export const kSensitivities: { value: Sensitivity; label: string }[] = [
  { value: 'low', label: 'Low' },
  { value: 'normal', label: 'Normal' },
  { value: 'high', label: 'High' },
];

export function DetectorList({ user }: { user: User }) {
  const query = useQuery('detectors', getDetectors, 10_000);
  const mayAct = may(user, 'admin');
  const [editing, setEditing] = useState<DetectorRow | null>(null);
  const change = async (row: DetectorRow, what: DetectorChange) => {
    try {
      await changeDetector(row.name, what);
      query.reload();
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <>
      <p className="muted list-head">
        {mayAct
          ? 'Changes take effect at once. High sensitivity halves the thresholds and doubles the alert budget, low does the opposite.'
          : 'Administrators may turn detectors on and off and change their settings.'}
      </p>
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={44} />}>
        {(rows) => (
          <ul className="card-list">
            {rows.map((row) => (
              <Card
                key={row.name}
                row={row}
                mayAct={mayAct}
                onChange={(what) => void change(row, what)}
                onEdit={() => setEditing(row)}
              />
            ))}
          </ul>
        )}
      </Loaded>
      {editing && (
        <DetectorDialog
          row={editing}
          onClose={() => setEditing(null)}
          onDone={() => {
            notify(`${capitalised(inWords(editing.name))} works with these settings from now on.`);
            setEditing(null);
            query.reload();
          }}
        />
      )}
    </>
  );
}

interface CardProps {
  row: DetectorRow;
  mayAct: boolean;
  onChange: (what: DetectorChange) => void;
  onEdit: () => void;
}

function Card({ row, mayAct, onChange, onEdit }: CardProps) {
  const name = detectorName(row.name);
  const set = row.options.filter((option) => option.is_set);
  return (
    <li className={row.enabled ? '' : 'is-resting'}>
      <div className="card-main">
        <p className="card-title">
          <strong>{alertClassName(row.name)}</strong>
          <span className="muted">
            {row.running ? 'watches' : row.enabled ? 'waits for traffic' : 'is off'}
          </span>
        </p>
        <p>{capitalised(row.about)}.</p>
        <p className="muted">
          {formatBytes(row.memory_bytes)}
          {row.memory_limit_bytes > 0 && ` of at most ${formatBytes(row.memory_limit_bytes)}`},{' '}
          {row.alerts === 0 ? 'no reports' : plural(row.alerts, 'report')}
          {row.evictions > 0 && `, ${formatCount(row.evictions)} forgotten for lack of room`}
          {row.block_entries !== undefined && `, ${formatCount(row.block_entries)} entries on block lists`}
        </p>
        {set.length > 0 && (
          <p className="muted wrap">Changed: {set.map((option) => inWords(option.name)).join(', ')}.</p>
        )}
        {row.problem && <p className="bad wrap">A block list was not read again: {row.problem}</p>}
      </div>
      <span className="card-actions">
        {row.has_sensitivity &&
          (mayAct ? (
            <Segmented
              label={`Sensitivity of ${name}`}
              value={row.sensitivity}
              choices={kSensitivities}
              onChange={(sensitivity) => onChange({ sensitivity })}
            />
          ) : (
            <span className="muted">sensitivity {row.sensitivity}</span>
          ))}
        {mayAct && (
          <>
            <button type="button" className="text-button" aria-label={`Settings of ${name}`} onClick={onEdit}>
              Settings…
            </button>
            <label className="check">
              <input
                type="checkbox"
                checked={row.enabled}
                onChange={(event) => onChange({ enabled: event.target.checked })}
              />
              <span>On</span>
            </label>
          </>
        )}
      </span>
    </li>
  );
}
