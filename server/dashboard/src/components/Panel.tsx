import { useId, useState, type ReactNode } from 'react';
import { saveCsv, type Saved } from '../lib/csv';
import { Icon } from './Icon';

export interface TableView {
  caption: string;
  header: string[];
  rows: (string | number)[][];
}

export function DataTable({ table }: { table: TableView }) {
  return (
    <div className="data-table-scroll">
      <table className="data-table">
        <caption className="sr-only">{table.caption}</caption>
        <thead>
          <tr>
            {table.header.map((name, i) => (
              <th key={name} scope="col" className={i ? 'num' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, i) =>
                i === 0 ? (
                  <th key={i} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={i} className="num">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Props {
  title: string;
  note?: ReactNode;
  tools?: ReactNode;
  table?: () => TableView;
  // The same as plain numbers, for a file.
  saved?: () => Saved;
  className?: string;
  children: ReactNode;
}

// A titled part of a page. With `table`, the same numbers can be read as a table instead of a picture.
export function Panel({ title, note, tools, table, saved, className = '', children }: Props) {
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {note && <span className="panel-note">{note}</span>}
        <span className="panel-tools">
          {tools}
          {(saved || table) && (
            <span className="panel-icons">
              {saved && (
                <button
                  type="button"
                  className="icon-button"
                  onClick={() => saveCsv(saved())}
                  aria-label={`Save ${title} as CSV`}
                  title="Save as CSV"
                >
                  <Icon name="download" />
                </button>
              )}
              {table && (
                <button
                  type="button"
                  className="icon-button"
                  aria-pressed={asTable}
                  onClick={() => setAsTable(!asTable)}
                  aria-label={`Show ${title} as ${asTable ? 'chart' : 'table'}`}
                  title={asTable ? 'Show as chart' : 'Show as table'}
                >
                  <Icon name={asTable ? 'chart' : 'table'} />
                </button>
              )}
            </span>
          )}
        </span>
      </div>
      {asTable && table ? <DataTable table={table()} /> : children}
    </section>
  );
}
