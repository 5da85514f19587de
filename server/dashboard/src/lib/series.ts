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
  // What of the values a port only guesses, of keys of which it guesses any.
  guessed?: Record<string, number[]>;
  // The newest bucket while it is still being filled: its start, and how far it is known.
  filling?: { since: number; until: number };
}

// Fixed first, then by name: the order of the stack must not depend on the traffic.
const kOrder = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp'];
export function compareKeys(a: string, b: string): number {
  const rank = (key: string) =>
    key === 'other' ? 1000 : key === 'unknown' ? 999 : kOrder.includes(key) ? kOrder.indexOf(key) : 100;
  return rank(a) - rank(b) || a.localeCompare(b);
}

// With `now`, the newest bucket may be open still: it is a rate over the part that has passed, because over its whole width
// it would look like a fall. Right after its start that part is too short to divide by.
export function shapeSeries(series: Series, now = Infinity): Shaped {
  const stepMs = series.step_seconds * 1000;
  const times = series.times.map(parseTime).filter((time) => time < now);
  const last = times[times.length - 1];
  const open = last !== undefined && last + stepMs > now;
  const passed = (i: number) => (open && i === times.length - 1 ? Math.max(now - last, stepMs / 10) : stepMs);
  const factor = series.measure === 'bytes' ? 8000 : 1000;
  const values: Shaped['values'] = {};
  const guessed: Record<string, number[]> = {};
  for (const { key, values: column, guessed: guesses } of series.series) {
    const name = key === 'total' || key === 'all' ? 'total' : protocolName(key);
    values[name] = times.map((_, i) => {
      const value = column[i] ?? null;
      return value === null ? null : (value * factor) / passed(i);
    });
    if (guesses?.some((value) => value > 0))
      guessed[name] = times.map((_, i) => ((guesses[i] ?? 0) * factor) / passed(i));
  }
  return {
    times,
    stepMs,
    keys: Object.keys(values).sort(compareKeys),
    values,
    dropped: times.map(() => 0),
    ...(Object.keys(guessed).length > 0 ? { guessed } : {}),
    ...(open ? { filling: { since: last, until: now } } : {}),
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

// The `most` busiest keys stay, the rest become one: a stack of forty layers tells nothing. Which ones stay is decided over
// the whole range, so that none comes and goes along the axis.
export function foldRest(shaped: Shaped, most: number): Shaped {
  const weight = (key: string) => shaped.values[key]!.reduce<number>((sum, v) => sum + (v ?? 0), 0);
  const named = shaped.keys.filter((key) => key !== 'other');
  const ranked = named.map((key) => ({ key, sum: weight(key) })).sort((a, b) => b.sum - a.sum);
  const kept = new Set(ranked.slice(0, most).map(({ key }) => key));
  const rest = shaped.keys.filter((key) => !kept.has(key));
  if (rest.length === 0 || (rest.length === 1 && rest[0] === 'other')) return shaped;
  const values: Shaped['values'] = Object.fromEntries([...kept].map((key) => [key, shaped.values[key]!]));
  values.other = shaped.times.map((_, i) =>
    rest.reduce<number | null>((sum, key) => {
      const value = shaped.values[key]![i] ?? null;
      return value === null ? sum : (sum ?? 0) + value;
    }, null),
  );
  return {
    ...shaped,
    keys: Object.keys(values).sort(compareKeys),
    values,
    ...(shaped.guessed ? { guessed: foldGuesses(shaped, [...kept], rest) } : {}),
  };
}

function foldGuesses(shaped: Shaped, kept: string[], rest: string[]): Record<string, number[]> {
  const known = shaped.guessed!;
  const folded: Record<string, number[]> = {};
  for (const key of kept) if (known[key]) folded[key] = known[key];
  if (rest.some((key) => known[key]))
    folded.other = shaped.times.map((_, i) => rest.reduce((sum, key) => sum + (known[key]?.[i] ?? 0), 0));
  return folded;
}

// What of the value a port only guesses.
export const guessAt = (shaped: Shaped, key: string, i: number) => shaped.guessed?.[key]?.[i] ?? 0;

// Nothing in the traffic confirms any of it, in the whole range.
export const isOnlyGuess = (shaped: Shaped, key: string) =>
  shaped.guessed?.[key] !== undefined &&
  shaped.times.every((_, i) => guessAt(shaped, key, i) >= (shaped.values[key]![i] ?? 0));

// Of all keys together; null where nothing is known.
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

// The corners of a step line: each bucket at its start, and once more at its end where the next one is not known, so that
// a bucket between two gaps has its width as well. A null ends a run.
function corners(
  shaped: Shaped,
  known: (number | null)[],
  levels: [number, number][],
): (StackPoint | null)[] {
  const points: (StackPoint | null)[] = [];
  shaped.times.forEach((time, i) => {
    if (known[i] === null) return;
    const [low, high] = levels[i]!;
    points.push({ time, low, high });
    const next = shaped.times[i + 1];
    const joined = next !== undefined && known[i + 1] !== null && next - time <= shaped.stepMs;
    if (joined) return;
    const { filling } = shaped;
    points.push({ time: filling?.since === time ? filling.until : time + shaped.stepMs, low, high }, null);
  });
  return points;
}

export function outline(shaped: Shaped): (StackPoint | null)[] {
  const known = totals(shaped);
  return corners(
    shaped,
    known,
    known.map((sum) => [0, sum ?? 0]),
  );
}

export interface Layer {
  key: string;
  points: (StackPoint | null)[];
  isGuess: boolean;
}

// What is known of each key, and upon it what is only guessed, where there is any.
export function stack(shaped: Shaped): Layer[] {
  const known = totals(shaped);
  const base = new Array<number>(shaped.times.length).fill(0);
  const layer = (key: string, isGuess: boolean, share: (i: number) => number): Layer => {
    const levels = base.map((low, i): [number, number] => {
      base[i] = low + share(i);
      return [low, base[i]!];
    });
    return { key, isGuess, points: corners(shaped, known, levels) };
  };
  return shaped.keys.flatMap((key) => {
    const guess = (i: number) => guessAt(shaped, key, i);
    const seen = layer(key, false, (i) => (shaped.values[key]![i] ?? 0) - guess(i));
    return shaped.guessed?.[key] ? [seen, layer(key, true, guess)] : [seen];
  });
}

// The corners of a small step line over the index.
export function sparkPoints(values: (number | null)[]): ([number, number] | null)[] {
  return values.flatMap((value, i): ([number, number] | null)[] => {
    if (value === null) return [];
    const next = values[i + 1] ?? null;
    return next === null ? [[i, value], [i + 1, value], null] : [[i, value]];
  });
}

// A stretch without data that is wide enough to be told: before the first bucket, between two, or after the last.
export interface Gap {
  from: number;
  to: number;
  side: 'before' | 'between' | 'after';
}
const kLeastGapMs = 4000;

export function gaps(shaped: Shaped, since: number, until: number): Gap[] {
  const known = totals(shaped);
  const found: Gap[] = [];
  const add = (from: number, to: number, side: Gap['side']) => {
    if (to - from >= Math.max(shaped.stepMs, kLeastGapMs)) found.push({ from, to, side });
  };
  let end: number | null = null;
  shaped.times.forEach((time, i) => {
    if (known[i] === null) return;
    if (end === null) add(since, time, 'before');
    else add(end, time, 'between');
    end = time + shaped.stepMs;
  });
  if (end !== null) add(end, until, 'after');
  return found;
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
