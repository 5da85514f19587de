import { useEffect, useState } from 'react';
import { getSeries } from '../api/endpoints';
import { isLive, type Range } from '../lib/time';
import { useNow } from './hooks';

// Few at a time: a page of hosts must not use up the requests a person is allowed.
const kAtOnce = 2;
const kPauseMs = 250;
const waiting: (() => Promise<void>)[] = [];
let running = 0;

function pump(): void {
  while (running < kAtOnce) {
    const job = waiting.shift();
    if (!job) return;
    running += 1;
    const pause = new Promise((resolve) => setTimeout(resolve, kPauseMs));
    void Promise.all([job(), pause]).finally(() => {
      running -= 1;
      pump();
    });
  }
}

interface Known {
  values: (number | null)[];
  at: number;
}
const known = new Map<string, Known>();
// While live the newest minute is always news; what is over stays as it is.
const kFreshMs = 60_000;

export function useHostSeries(
  address: string,
  range: Range,
  visible: boolean,
): (number | null)[] | undefined {
  const key = `${address} ${range.since} ${range.until}`;
  const [, redraw] = useState(0);
  const now = useNow(kFreshMs);
  useEffect(() => {
    const kept = known.get(key);
    if (!visible || (kept && (!isLive(range) || Date.now() - kept.at < kFreshMs))) return;
    let wanted = true;
    const job = async () => {
      try {
        const series = await getSeries({ ...range, by: 'none', address });
        if (known.size > 400) known.clear();
        known.set(key, { values: series.series[0]?.values ?? [], at: Date.now() });
        if (wanted) redraw((n) => n + 1);
      } catch {
        // A missing sparkline says nothing wrong; the numbers beside it are complete.
      }
    };
    waiting.push(job);
    pump();
    return () => {
      wanted = false;
      const at = waiting.indexOf(job);
      if (at >= 0) waiting.splice(at, 1);
    };
    // The range is part of the key.
  }, [key, visible, now]);
  return known.get(key)?.values;
}
