import { describeRange } from '../lib/time';
import { setView, useView, widen } from '../state/view';
import { Empty } from './States';

export function NoFlows() {
  const { range, zone, where } = useView();
  return (
    <Empty>
      <p>
        No flows{' '}
        {where ? (
          <>
            match <code className="wrap">{where}</code>
          </>
        ) : (
          'ended'
        )}{' '}
        in this range ({describeRange(range, zone).toLowerCase()}).
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
