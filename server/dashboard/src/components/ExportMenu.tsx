import { useState } from 'react';
import { download, saveCsv, type Saved } from '../lib/csv';
import { session } from '../state/session';
import { useStore } from '../state/store';
import { useView } from '../state/view';
import { Icon } from './Icon';
import { Popover } from './Popover';
import { ExportDialog, ImportDialog } from './TransferDialogs';

interface Props {
  // What the first two items save, in words.
  what: string;
  saved: () => Saved & { json?: unknown };
  // What the flows behind it have in common; the filter of the view by default.
  where?: string;
  withImport?: boolean;
}

const asObjects = ({ header, rows }: Saved) =>
  rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? null])));

// Saves what is shown, or every flow behind it: with the filter and the time range of the moment.
export function ExportMenu({ what, saved, where, withImport }: Props) {
  const view = useView();
  const current = useStore(session);
  const [transfer, setTransfer] = useState<'export' | 'import' | null>(null);
  const mayImport = withImport && current.phase === 'signed_in' && current.user.role !== 'viewer';
  const filter = where ?? view.where;
  const json = () => {
    const table = saved();
    const content = { since: view.range.since, until: view.range.until, where: filter };
    const text = JSON.stringify({ ...content, [table.name]: table.json ?? asObjects(table) }, null, 2);
    download(`${table.name}.json`, 'application/json', text);
  };
  return (
    <>
      <Popover label="Export" buttonClass="icon-button" button={<Icon name="download" />}>
        {(close) => {
          const item = (text: string, act: () => void) => (
            <button
              type="button"
              className="menu-item"
              onClick={() => {
                act();
                close();
              }}
            >
              {text}
            </button>
          );
          return (
            <div className="menu">
              <p className="muted">{what}</p>
              {item('Save as CSV', () => saveCsv(saved()))}
              {item('Save as JSON', json)}
              <p className="muted">
                {mayImport
                  ? 'Of the whole range and filter, or from a file.'
                  : 'The flows behind it, all of them.'}
              </p>
              {item('Export all…', () => setTransfer('export'))}
              {mayImport && item('Import…', () => setTransfer('import'))}
            </div>
          );
        }}
      </Popover>
      {transfer === 'export' && (
        <ExportDialog range={view.range} where={filter} onClose={() => setTransfer(null)} />
      )}
      {transfer === 'import' && <ImportDialog onClose={() => setTransfer(null)} />}
    </>
  );
}
