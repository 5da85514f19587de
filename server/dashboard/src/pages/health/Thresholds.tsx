import { useState } from 'react';
import {
  getHealthThresholds,
  setHealthThresholds,
  type HealthThreshold,
  type HealthThresholds,
} from '../../api/operations';
import { toProblem } from '../../api/problem';
import type { User } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Form } from '../../components/Form';
import { Loaded, SkeletonLines } from '../../components/States';
import { plural } from '../../lib/format';
import { notify } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';

// What is typed, so that a half-typed number is not lost.
type Row = Record<'name' | 'level' | 'raise_at' | 'clear_at' | 'hold_seconds', string>;

const toRow = (one: HealthThreshold): Row => ({
  name: one.name,
  level: one.level,
  raise_at: String(one.raise_at),
  clear_at: String(one.clear_at),
  hold_seconds: String(one.hold_seconds),
});
const fromRow = (row: Row): HealthThreshold => ({
  name: row.name.trim(),
  level: row.level as HealthThreshold['level'],
  raise_at: Number(row.raise_at),
  clear_at: Number(row.clear_at),
  hold_seconds: Number(row.hold_seconds),
});

const kColumns: { field: keyof Row; label: string }[] = [
  { field: 'name', label: 'Value' },
  { field: 'level', label: 'Is' },
  { field: 'raise_at', label: 'From' },
  { field: 'clear_at', label: 'Over at' },
  { field: 'hold_seconds', label: 'For (s)' },
];

interface Props {
  user: User;
  onSaved: () => void;
  onClose: () => void;
}

export function ThresholdDialog({ user, onSaved, onClose }: Props) {
  const query = useQuery('health thresholds', getHealthThresholds);
  return (
    <Dialog title="When health raises an alert" onClose={onClose}>
      <Loaded query={query} skeleton={<SkeletonLines count={8} height={28} />}>
        {(kept) => (
          <ThresholdForm kept={kept} mayChange={may(user, 'admin')} onSaved={onSaved} onClose={onClose} />
        )}
      </Loaded>
    </Dialog>
  );
}

interface FormProps {
  kept: HealthThresholds;
  mayChange: boolean;
  onSaved: () => void;
  onClose: () => void;
}

function ThresholdForm({ kept, mayChange, onSaved, onClose }: FormProps) {
  const [rows, setRows] = useState(kept.thresholds.map(toRow));
  const change = (index: number, field: keyof Row, value: string) =>
    setRows(rows.map((row, i) => (i === index ? { ...row, [field]: value } : row)));
  const check = () => {
    const wrong = rows.find((row) => {
      const one = fromRow(row);
      const numbers = [one.raise_at, one.clear_at, one.hold_seconds];
      return !one.name || row.raise_at === '' || row.clear_at === '' || !numbers.every(Number.isFinite);
    });
    return wrong ? `“${wrong.name || 'a row without a value'}” needs a value and three numbers.` : null;
  };
  const table = (
    <>
      <p className="hint">
        An alert is raised when a value has been at <em>From</em> or beyond for so long, and is over at{' '}
        <em>Over at</em>. Shares are 0 to 1; * stands for any name. {plural(rows.length, 'threshold')}.
      </p>
      <div className="threshold-scroll" tabIndex={0} role="region" aria-label="Thresholds">
        <table className="threshold-table">
          <thead>
            <tr>
              {kColumns.map(({ field, label }) => (
                <th key={field} scope="col">
                  {label}
                </th>
              ))}
              <th scope="col">
                <span className="sr-only">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={i}>
                {kColumns.map(({ field, label }) => (
                  <td key={field} className={`threshold-${field}`} data-label={label}>
                    {field === 'level' ? (
                      <select
                        className="select"
                        aria-label={`${label}, row ${i + 1}`}
                        value={row.level}
                        disabled={!mayChange}
                        onChange={(event) => change(i, field, event.target.value)}
                      >
                        <option value="warning">warning</option>
                        <option value="critical">critical</option>
                      </select>
                    ) : (
                      <input
                        className={field === 'name' ? 'mono' : 'threshold-number'}
                        aria-label={`${label}, row ${i + 1}`}
                        value={row[field]}
                        disabled={!mayChange}
                        spellCheck={false}
                        onChange={(event) => change(i, field, event.target.value)}
                      />
                    )}
                  </td>
                ))}
                <td>
                  {mayChange && (
                    <button
                      type="button"
                      className="text-button bad"
                      aria-label={`Remove row ${i + 1}`}
                      onClick={() => setRows(rows.filter((_, k) => k !== i))}
                    >
                      Remove
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
  if (!mayChange)
    return (
      <>
        {table}
        <p className="muted">Administrators can change them.</p>
      </>
    );
  return (
    <Form
      submit="Save"
      check={check}
      onSubmit={async () => {
        try {
          await setHealthThresholds(rows.map(fromRow));
        } catch (error) {
          throw toProblem(error);
        }
        notify(rows.length === 0 ? 'Nothing is watched any more.' : 'Thresholds saved.');
        onSaved();
        onClose();
      }}
    >
      {table}
      <p className="threshold-tools">
        <button
          type="button"
          className="button"
          onClick={() =>
            setRows([...rows, { name: '', level: 'warning', raise_at: '', clear_at: '', hold_seconds: '60' }])
          }
        >
          Add a threshold
        </button>
        <button type="button" className="button" onClick={() => setRows(kept.defaults.map(toRow))}>
          Restore the defaults
        </button>
      </p>
    </Form>
  );
}
