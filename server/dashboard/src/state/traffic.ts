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
export interface AlertFilter {
  class?: string;
  severity?: string;
  suppressed?: 'no' | 'yes' | 'all';
  acknowledged?: 'no' | 'yes' | 'all';
}
const passes = (wanted: string | undefined, has: boolean) =>
  !wanted || wanted === 'all' || (wanted === 'yes') === has;

export function useAlerts(view: View, filter: AlertFilter = {}) {
  const streamed = useStore(live).alerts;
  const { range } = view;
  const query = useQuery(
    `alerts ${range.since} ${range.until} ${filter.class ?? ''} ${filter.severity ?? ''} ${filter.suppressed ?? ''} ${filter.acknowledged ?? ''}`,
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
    // What people said of an alert comes with answers, and with the stream when they say it; the other states that
    // the stream tells are without it. An answer knows better, where it speaks of the alert at all.
    const said = new Map<string, Alert['handling']>();
    for (const a of streamed) if (a.handling) said.set(String(a.id), a.handling);
    for (const a of query.data.alerts) if (a.handling) said.set(String(a.id), a.handling);
    return latestPerAlert([...query.data.alerts, ...streamed.filter(fits)])
      .map((a) => ({ ...a, handling: said.get(String(a.id)) ?? a.handling }))
      .filter(
        (a) =>
          passes(filter.suppressed ?? 'no', Boolean(a.suppressed_by)) &&
          passes(filter.acknowledged, Boolean(a.handling?.acknowledged_by)),
      );
  }, [query.data, streamed, range, filter.class, filter.severity, filter.suppressed, filter.acknowledged]);
  return { query, alerts, more: query.data?.next_cursor != null };
}
