import type { ReactNode } from 'react';
import type { Query } from '../state/query';
import { Empty, Loaded, SkeletonLines } from './States';

interface Props<T> {
  title: string;
  // Between the title and the filters.
  choice?: ReactNode;
  filters: ReactNode;
  tools: ReactNode;
  // Above the list.
  note?: ReactNode;
  // What the rows are called: "Events", "Records".
  rows: string;
  query: Query<T>;
  pages: { more: boolean; busy: boolean; load: () => void };
  isEmpty: boolean;
  empty: string;
  list: ReactNode;
  // Of the row that is open, beside the list.
  detail: ReactNode;
}

// The frame of pages that list what was written down: filters, the newest rows, older ones on request, one row open
// beside them.
export function RecordList<T>(props: Props<T>) {
  const { title, choice, filters, tools, note, rows, query, pages, isEmpty, empty, list, detail } = props;
  return (
    <div className={`explore ${detail ? 'has-detail' : ''}`}>
      <div className="explore-main">
        <div className="explore-head log-head">
          <h1 className="page-title">{title}</h1>
          {choice}
          <span className="log-filters">{filters}</span>
          <span className="panel-tools">{tools}</span>
        </div>
        {note}
        <div className="explore-scroll" tabIndex={0} role="region" aria-label={rows}>
          <Loaded
            query={query}
            skeleton={
              <div className="explore-note">
                <SkeletonLines count={14} height={24} />
              </div>
            }
          >
            {() =>
              isEmpty && !pages.more ? (
                <div className="explore-note">
                  <Empty>
                    <p>{empty}</p>
                  </Empty>
                </div>
              ) : (
                <>
                  {list}
                  {pages.more && (
                    <p className="log-more">
                      <button type="button" className="button" disabled={pages.busy} onClick={pages.load}>
                        Older {rows.toLowerCase()}
                      </button>
                    </p>
                  )}
                </>
              )
            }
          </Loaded>
        </div>
      </div>
      {detail}
    </div>
  );
}
