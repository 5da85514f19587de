import { useMemo } from 'react';
import { getAlerts, getFlows, getTop, latestPerAlert } from '../api/endpoints';
import { kSeverities } from '../components/Severity';
import type { Alert, Dimension, FlowOrder, Severity } from '../api/types';
import { parseTime, resolveRange } from '../lib/time';
import { live, serverNow } from './live';
import { useQuery } from './query';
import { refreshMs } from './refresh';
import { useStore } from './store';
import type { View } from './view';

const keyOf = (view: View) => `${view.range.since} ${view.range.until} ${view.where}`;

export function useTop(view: View, dimension: Dimension, limit: number) {
  return useQuery(
    `top ${dimension} ${limit} ${keyOf(view)}`,
    (signal) => getTop({ ...view.range, dimension, limit, where: view.where }, signal),
    refreshMs(view.range),
  );
}

export function useFlows(view: View, order: FlowOrder, limit: number) {
  return useQuery(
    `flows ${order} ${limit} ${keyOf(view)}`,
    (signal) => getFlows({ ...view.range, where: view.where, order, limit }, signal),
    refreshMs(view.range),
  );
}

// Alerts of the range, and those the stream has told since the last answer.
export function useAlerts(view: View, filter: { class?: string; severity?: string } = {}) {
  const streamed = useStore(live).alerts;
  const { range } = view;
  const query = useQuery(
    `alerts ${range.since} ${range.until} ${filter.class ?? ''} ${filter.severity ?? ''}`,
    (signal) => getAlerts({ ...range, ...filter, limit: 500 }, signal),
    refreshMs(range),
  );
  const alerts = useMemo((): Alert[] | undefined => {
    if (!query.data) return undefined;
    const [since, until] = resolveRange(range, serverNow() + 5000);
    const fits = (a: Alert) =>
      parseTime(a.time) >= since &&
      parseTime(a.time) < until &&
      (!filter.class || a.class === filter.class) &&
      (!filter.severity ||
        kSeverities.indexOf(a.severity) <= kSeverities.indexOf(filter.severity as Severity));
    return latestPerAlert([...query.data.alerts, ...streamed.filter(fits)]);
  }, [query.data, streamed, range, filter.class, filter.severity]);
  return { query, alerts, more: query.data?.next_cursor != null };
}
