import { useEffect, useRef, type ReactNode } from 'react';
import { useKey, useSmall } from '../state/hooks';
import { Icon } from './Icon';

interface Props {
  title: ReactNode;
  label: string;
  onClose: () => void;
  children: ReactNode;
}

// Detail beside the table, so that the place in the table is not lost; over it on a small screen.
export function SidePanel({ title, label, onClose, children }: Props) {
  const small = useSmall();
  const ref = useRef<HTMLElement>(null);
  useKey((event) => {
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) onClose();
  });
  useEffect(() => {
    if (small) ref.current?.focus();
  }, [small]);
  return (
    <aside className="side-panel" aria-label={label} ref={ref} tabIndex={-1}>
      <div className="side-panel-head">
        <h2>{title}</h2>
        <button
          type="button"
          className="icon-button"
          aria-label="Close detail"
          title="Close (Esc)"
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </div>
      <div className="side-panel-body">{children}</div>
    </aside>
  );
}

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
