import { remember } from '../state/preferences';
import { kDefaultColumns, kFlowColumns } from './flowColumns';
import { Icon } from './Icon';
import { Popover } from './Popover';

interface Props {
  chosen: string[];
  onChange: (ids: string[]) => void;
}

// The choice goes into the link, and is remembered for the next visit.
export function ColumnChooser({ chosen, onChange }: Props) {
  const change = (ids: string[]) => {
    if (ids.length === 0) return;
    remember('nta.columns', ids.join(','));
    onChange(ids);
  };
  const toggle = (id: string) =>
    change(
      kFlowColumns
        .map((c) => c.id)
        .filter((known) => (known === id ? !chosen.includes(id) : chosen.includes(known))),
    );
  return (
    <Popover label="Columns" buttonClass="icon-button" button={<Icon name="columns" />}>
      {() => (
        <div className="menu column-menu">
          {kFlowColumns.map((column) => (
            <label key={column.id} className="check">
              <input
                type="checkbox"
                checked={chosen.includes(column.id)}
                onChange={() => toggle(column.id)}
              />
              {column.id === 'source_port' ? 'Source port' : column.label}
            </label>
          ))}
          <button type="button" className="text-button" onClick={() => change(kDefaultColumns)}>
            Reset
          </button>
        </div>
      )}
    </Popover>
  );
}
