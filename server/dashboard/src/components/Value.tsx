import type { MouseEvent, ReactNode } from 'react';
import { visible } from '../lib/text';
import { copy } from '../state/notices';
import { filterBy } from '../state/view';
import { Icon } from './Icon';

interface Props {
  field: string;
  value: string | number;
  children?: ReactNode;
  className?: string;
  // Inside tables the row is the tab stop; its values are reached through the detail panel.
  inTable?: boolean;
  // Said on hover before what a click does.
  note?: string;
}

// A value that filters on click and excludes on alt-click.
export function FilterValue({ field, value, children, className = '', inTable = false, note }: Props) {
  const onClick = (event: MouseEvent) => {
    event.stopPropagation();
    filterBy(field, value, event.altKey);
  };
  return (
    <button
      type="button"
      className={`value ${className}`}
      onClick={onClick}
      tabIndex={inTable ? -1 : 0}
      title={`${note ? `${note}\n` : ''}Filter ${field}=${visible(String(value))} (Alt: exclude)`}
    >
      {children ?? value}
    </button>
  );
}

export function CopyButton({ text, inTable = false }: { text: string; inTable?: boolean }) {
  return (
    <button
      type="button"
      className="icon-button copy-button"
      aria-label={`Copy ${text}`}
      title="Copy"
      tabIndex={inTable ? -1 : 0}
      onClick={(event) => {
        event.stopPropagation();
        void copy(text);
      }}
    >
      <Icon name="copy" />
    </button>
  );
}

// For panels: the value itself copies; filtering has its own two buttons beside.
export function CopyValue({
  text,
  note,
  field,
  value,
  children,
}: {
  text: string;
  note?: string;
  field?: string;
  value?: string | number;
  // Shown after the two buttons.
  children?: ReactNode;
}) {
  return (
    <span className="copy-value">
      <button type="button" className="value mono" title="Copy" onClick={() => void copy(text)}>
        {text}
      </button>
      {note && <span className="muted"> {note}</span>}
      {field && value !== undefined && (
        <span className="copy-value-actions">
          <button
            type="button"
            className="text-button"
            onClick={() => filterBy(field, value, false)}
            aria-label={`Filter ${field}=${value}`}
          >
            filter
          </button>
          <button
            type="button"
            className="text-button"
            onClick={() => filterBy(field, value, true)}
            aria-label={`Exclude ${field}=${value}`}
          >
            exclude
          </button>
          {children}
        </span>
      )}
    </span>
  );
}
