import type { ReactNode } from 'react';
import { describeRange } from '../lib/time';
import { setView, useView, widen } from '../state/view';
import { Empty } from './States';

// Nothing in the range, or nothing that the filter selects, and the two ways out of it.
export function NothingHere({ children }: { children: (where: ReactNode) => ReactNode }) {
  const { range, zone, where } = useView();
  return (
    <Empty>
      <p>
        {children(where ? <code className="wrap">{where}</code> : null)} in this range (
        {describeRange(range, zone).toLowerCase()}).
      </p>
      <p className="empty-actions">
        <button type="button" className="button" onClick={widen}>
          Widen the range
        </button>
        {where && (
          <button type="button" className="button" onClick={() => setView({ where: '' })}>
            Clear the filter
          </button>
        )}
      </p>
    </Empty>
  );
}

export function NoFlows() {
  return <NothingHere>{(where) => (where ? <>No flows match {where}</> : 'No flows ended')}</NothingHere>;
}
