import { getFlows } from '../api/endpoints';
import { absoluteRange, formatAbsolute, parseTime } from '../lib/time';
import { useQuery } from '../state/query';
import { setView, useView } from '../state/view';

const kEver = { since: '1970-01-01T00:00:00Z', until: '2200-01-01T00:00:00Z' };

// Nothing in the range. A recording carries the times of its own day, so say where the traffic is and lead there.
export function NoDataHint({ where }: { where: string }) {
  const { zone } = useView();
  const edges = useQuery(
    'edges',
    async (signal) => {
      const [oldest, newest] = await Promise.all([
        getFlows({ ...kEver, order: 'last_seen', limit: 1 }, signal),
        getFlows({ ...kEver, order: '-last_seen', limit: 1 }, signal),
      ]);
      return { since: oldest.flows[0]?.first_seen, until: newest.flows[0]?.last_seen };
    },
    10_000,
  );
  if (where) {
    return (
      <div className="chart-hint">
        <p>No traffic in this range matches the filter.</p>
      </div>
    );
  }
  if (!edges.data) return null;
  const { since, until } = edges.data;
  if (!since || !until) {
    return (
      <div className="chart-hint">
        <p>No traffic seen yet. The first flows appear here as soon as they end.</p>
      </div>
    );
  }
  const from = parseTime(since);
  const to = parseTime(until);
  const margin = Math.max(1000, (to - from) * 0.02);
  return (
    <div className="chart-hint">
      <p>
        No traffic in this range. What is stored reaches from {formatAbsolute(from, zone)} to{' '}
        {formatAbsolute(to, zone)}.
      </p>
      <button
        type="button"
        className="button"
        onClick={() => setView({ range: absoluteRange(from - margin, to + margin) })}
      >
        Show all of it
      </button>
    </div>
  );
}
