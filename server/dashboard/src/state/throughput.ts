import { useMemo } from 'react';
import { getSeries } from '../api/endpoints';
import type { Sample } from '../api/types';
import { onlyAddress } from '../lib/filter';
import type { Mix } from '../lib/mix';
import { binFor, foldRest, shapeSamples, shapeSeries, type Shaped } from '../lib/series';
import { isLive, parseTime, resolveRange, type Range } from '../lib/time';
import { useNow } from './hooks';
import { live, serverNow } from './live';
import { useQuery, type Query } from './query';
import { refreshMs } from './refresh';
import { useStore } from './store';
import type { Series } from '../api/types';

const kMostLayers = 8;

export type Unit = 'bit/s' | 'packets/s';

export interface Throughput {
  shaped: Shaped | null;
  domain: [number, number];
  source: 'stream' | 'series';
  query: Query<Series>;
  // The one address that the filter names, if it names nothing else.
  address: string | null;
}

const kStreamSpan = 15 * 60e3;

// One second of detail is only known from the stream, and only as far back as the stream reaches.
export function streamCovers(samples: Sample[], range: Range, since: number, until: number): boolean {
  if (until - since > kStreamSpan + 1000) return false;
  if (isLive(range)) return true;
  const first = samples[0];
  const last = samples[samples.length - 1];
  return !!first && !!last && parseTime(first.time) <= since + 2000 && parseTime(last.time) >= until - 2000;
}

export function useThroughput(range: Range, where: string, unit: Unit, by: Mix): Throughput {
  const { samples, status } = useStore(live);
  const moving = isLive(range);
  const now = useNow(moving ? 1000 : 60_000);
  const address = onlyAddress(where);
  const end = moving ? Math.floor(serverNow() / 1000) * 1000 : now;
  const [since, until] = resolveRange(range, end);
  // Without a stream the stored series, coarser and later, is better than nothing.
  const reachable = samples.length > 0 || status !== 'lost';
  // Seconds from the stream are known by protocol alone.
  const fromStream =
    by === 'protocol' && where === '' && reachable && streamCovers(samples, range, since, until);

  const measure = unit === 'bit/s' ? 'bytes' : 'packets';
  const query = useQuery(
    fromStream ? null : `series ${by} ${range.since} ${range.until} ${where} ${measure}`,
    // One address has sums of its own; any other filter is answered from the flows.
    (signal) => getSeries({ ...range, by, measure, ...(address === null ? { where } : { address }) }, signal),
    refreshMs(range),
  );

  const shaped = useMemo(() => {
    if (fromStream) {
      if (samples.length === 0) return status === 'connecting' ? null : emptyShape();
      return shapeSamples(
        samples,
        since,
        until,
        binFor(until - since),
        unit === 'bit/s' ? 'bits' : 'packets',
      );
    }
    if (!query.data) return null;
    return foldRest(shapeSeries(query.data, moving ? end : undefined), kMostLayers);
  }, [fromStream, samples, status, since, until, unit, query.data, moving, end]);
  return { shaped, domain: [since, until], source: fromStream ? 'stream' : 'series', query, address };
}

const emptyShape = (): Shaped => ({ times: [], stepMs: 1000, keys: [], values: {}, dropped: [] });
