import type { ReactNode } from 'react';
import { advice, type Problem } from '../api/problem';
import { sentence } from '../lib/format';
import type { Query } from '../state/query';
import { formatClock } from '../lib/time';
import { useView } from '../state/view';

export function ProblemBox({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  return (
    <div className="problem" role="alert">
      <p className="problem-title">{problem.title}</p>
      <p>{sentence(problem.detail)}</p>
      <p className="muted">{advice(problem)}</p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try now
        </button>
      )}
    </div>
  );
}

// Data that could not be renewed stays, and this line says since when it is old. Inside a panel it shrinks to a
// mark beside the title, so that nothing moves; the headline then has the words.
type Stale = Pick<Query<unknown>, 'problem' | 'receivedAt' | 'reload'> & { outdated?: boolean };

export function StaleLine({ query }: { query: Stale }) {
  const { zone } = useView();
  if (!query.problem || query.receivedAt === null) return null;
  return (
    <div className="stale" role="status">
      <p title={query.problem.detail}>
        <span className="stale-detail">
          {sentence(query.problem.detail)}{' '}
          {query.outdated ? 'What is shown answers an earlier question' : 'Shown'}{' '}
        </span>
        as of {formatClock(query.receivedAt, zone)}
      </p>
      <button type="button" className="text-button" onClick={query.reload}>
        Try now
      </button>
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

export function SkeletonLines({ count, height = 24 }: { count: number; height?: number }) {
  return (
    <div className="skeleton-lines" aria-hidden="true">
      {Array.from({ length: count }, (_, i) => (
        <div key={i} className="skeleton-line" style={{ height, width: `${92 - ((i * 17) % 34)}%` }} />
      ))}
    </div>
  );
}

interface Props<T> {
  query: Query<T>;
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

// Skeleton until there is something; then data, and what is wrong with it in one line.
export function Loaded<T>({ query, skeleton, children }: Props<T>) {
  if (query.data === undefined) {
    // The filter line above explains a filter that is not valid; saying it once is enough.
    if (query.problem?.position !== undefined) return <Empty>Waiting for a valid filter.</Empty>;
    if (query.problem) return <ProblemBox problem={query.problem} onRetry={query.reload} />;
    return <div aria-busy="true">{skeleton}</div>;
  }
  return (
    <>
      <StaleLine query={query} />
      <div className={query.outdated ? 'is-outdated' : undefined}>{children(query.data)}</div>
    </>
  );
}
