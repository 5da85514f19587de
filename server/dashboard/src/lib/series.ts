import type { Sample, Series } from '../api/types';
import { protocolName } from './format';
import { parseTime } from './time';

// What a time chart draws: rates per second in one column per key. A null is a moment nothing is known about.
export interface Shaped {
  times: number[];
  stepMs: number;
  keys: string[];
  values: Record<string, (number | null)[]>;
  dropped: number[];
}

// Fixed first, then by name: the order of the stack must not depend on the traffic.
const kOrder = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp'];
export function compareKeys(a: string, b: string): number {
  const rank = (key: string) => (key === 'other' ? 1000 : kOrder.includes(key) ? kOrder.indexOf(key) : 100);
  return rank(a) - rank(b) || a.localeCompare(b);
}

export function shapeSeries(series: Series, completeUntil = Infinity): Shaped {
  const scale = (series.measure === 'bytes' ? 8 : 1) / series.step_seconds;
  const values: Shaped['values'] = {};
  for (const { key, values: column } of series.series) {
    const name = key === 'total' || key === 'all' ? 'total' : protocolName(key);
    values[name] = column.map((value) => (value === null ? null : value * scale));
  }
  const times = series.times.map(parseTime);
  while (times.length > 1 && times[times.length - 1]! + series.step_seconds * 1000 > completeUntil) {
    times.pop();
    for (const column of Object.values(values)) column.pop();
  }
  return {
    times,
    stepMs: series.step_seconds * 1000,
    keys: Object.keys(values).sort(compareKeys),
    values,
    dropped: times.map(() => 0),
  };
}

// Seconds joined into bins aligned to the epoch, so that a bin never changes while the window slides over it. The bins
// that the window cuts at either end are left out: half a bin would look like a dip.
export function shapeSamples(
  samples: Sample[],
  since: number,
  until: number,
  binMs: number,
  measure: 'bits' | 'packets' = 'bits',
): Shaped {
  const first = Math.ceil(since / binMs) * binMs;
  const last = Math.floor(until / binMs) * binMs;
  const count = Math.max(0, Math.round((last - first) / binMs));
  const keys = new Set<string>();
  for (const sample of samples) for (const key of Object.keys(sample.protocols)) keys.add(protocolName(key));
  const times = Array.from({ length: count }, (_, i) => first + i * binMs);
  const sums: Record<string, number[]> = Object.fromEntries(
    [...keys].map((key) => [key, new Array<number>(count).fill(0)]),
  );
  const seconds = new Array<number>(count).fill(0);
  const dropped = new Array<number>(count).fill(0);
  for (const sample of samples) {
    const bin = Math.floor((parseTime(sample.time) - first) / binMs);
    if (bin < 0 || bin >= count) continue;
    seconds[bin]! += sample.seconds;
    dropped[bin]! += sample.dropped;
    for (const [key, value] of Object.entries(sample.protocols)) {
      sums[protocolName(key)]![bin]! += measure === 'bits' ? value.wire_bytes * 8 : value.packets;
    }
  }
  const values: Shaped['values'] = {};
  for (const key of keys) {
    values[key] = sums[key]!.map((bits, i) => (seconds[i]! > 0 ? bits / seconds[i]! : null));
  }
  return { times, stepMs: binMs, keys: [...keys].sort(compareKeys), values, dropped };
}

export const binFor = (spanMs: number) =>
  [1000, 2000, 5000, 10_000, 15_000, 30_000].find((bin) => spanMs / bin <= 460) ?? 60_000;

// One array per unbroken run, for areas that must not bridge a gap.
export function totals(shaped: Shaped): (number | null)[] {
  return shaped.times.map((_, i) => {
    let sum: number | null = null;
    for (const key of shaped.keys) {
      const value = shaped.values[key]![i];
      if (value !== null && value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum;
  });
}

export interface StackPoint {
  time: number;
  low: number;
  high: number;
}
export function stack(shaped: Shaped): { key: string; points: (StackPoint | null)[] }[] {
  const known = totals(shaped);
  const base = new Array<number>(shaped.times.length).fill(0);
  return shaped.keys.map((key) => ({
    key,
    points: shaped.times.map((time, i) => {
      if (known[i] === null) return null;
      const low = base[i]!;
      base[i] = low + (shaped.values[key]![i] ?? 0);
      return { time, low, high: base[i]! };
    }),
  }));
}

// The top of the scale: round, and with a little air.
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1000;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s * power >= value * 1.04);
  return (step ?? 15) * power;
}

// While live the scale follows growth at once, and a fall only when it has lasted: an axis that jumps is unreadable.
export interface ScaleState {
  max: number;
  lowSince: number | null;
  shrankAt: number | null;
}
export function nextScale(
  state: ScaleState | null,
  peak: number,
  now: number,
  patienceMs = 8000,
): ScaleState {
  const wanted = niceCeiling(peak);
  if (!state) return { max: wanted, lowSince: null, shrankAt: null };
  if (wanted >= state.max) return { max: wanted, lowSince: null, shrankAt: state.shrankAt };
  if (wanted > state.max * 0.55) return { ...state, lowSince: null };
  const lowSince = state.lowSince ?? now;
  if (now - lowSince >= patienceMs) return { max: wanted, lowSince: null, shrankAt: now };
  return { ...state, lowSince };
}
