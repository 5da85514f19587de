import type { ReactNode } from 'react';

export interface BarRow {
  key: string;
  label: ReactNode;
  value: number;
  // The part of the value drawn in the stronger tone, for sent against received.
  part?: number;
  text: string;
  note?: string;
  // Between the label and the number.
  extra?: ReactNode;
  barClass?: string;
}

// Horizontal bars with their numbers beside them: the bar for the eye, the number for the record.
export function BarList({ rows, onHover }: { rows: BarRow[]; onHover?: (key: string | null) => void }) {
  const most = rows.reduce((max, row) => Math.max(max, row.value), 0);
  const percent = (value: number) => `${most > 0 ? (value / most) * 100 : 0}%`;
  return (
    <ol className="bar-list">
      {rows.map((row) => (
        <li key={row.key} onPointerEnter={() => onHover?.(row.key)} onPointerLeave={() => onHover?.(null)}>
          <span className="bar-label">{row.label}</span>
          {row.extra !== undefined && <span className="bar-extra">{row.extra}</span>}
          <span className="bar-number">{row.text}</span>
          <span className="bar-note">{row.note}</span>
          <span className="bar-track">
            <span
              className={`bar ${row.barClass ?? ''} ${row.part !== undefined ? 'bar-soft' : ''}`}
              style={{ width: percent(row.value) }}
            />
            {row.part !== undefined && (
              <span className={`bar ${row.barClass ?? ''}`} style={{ width: percent(row.part) }} />
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
