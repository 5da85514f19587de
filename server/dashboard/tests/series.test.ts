import { describe, expect, it } from 'vitest';
import type { Sample, Series } from '../src/api/types';
import {
  binFor,
  compareKeys,
  foldRest,
  gaps,
  guessAt,
  isOnlyGuess,
  nextScale,
  niceCeiling,
  outline,
  shapeSamples,
  shapeSeries,
  sparkPoints,
  stack,
  totals,
} from '../src/lib/series';

const iso = (ms: number) => new Date(ms).toISOString();
const sample = (ms: number, tcp: number, udp = 0, dropped = 0): Sample => ({
  time: iso(ms),
  seconds: 1,
  packets: 1,
  wire_bytes: tcp + udp,
  dropped,
  flows_active: 0,
  flows_started: 0,
  flows_ended: 0,
  protocols: { tcp: { packets: 1, wire_bytes: tcp }, udp: { packets: 1, wire_bytes: udp } },
});

describe('samples', () => {
  const kStart = 1_700_000_000_000;
  it('become bits per second in bins that do not move with the window', () => {
    const samples = [0, 1, 2, 3].map((i) => sample(kStart + i * 1000, 100 * (i + 1)));
    const a = shapeSamples(samples, kStart, kStart + 4000, 2000);
    expect(a.values.tcp).toEqual([1200, 2800]);
    const b = shapeSamples(samples, kStart + 1000, kStart + 5000, 2000);
    expect(b.times[0]).toBe(kStart + 2000);
    expect(b.values.tcp).toEqual([2800]);
  });
  it('leave a gap where nothing was sampled', () => {
    const shaped = shapeSamples([sample(kStart, 1), sample(kStart + 3000, 1)], kStart, kStart + 4000, 1000);
    expect(shaped.values.tcp).toEqual([8, null, null, 8]);
    expect(totals(shaped)).toEqual([8, null, null, 8]);
  });
  it('lack a second or two without that being a gap to tell', () => {
    const at = (second: number) => sample(kStart + second * 1000, 1);
    const shaped = shapeSamples([at(10), at(12), at(19)], kStart, kStart + 20_000, 1000);
    expect(gaps(shaped, kStart, kStart + 20_000)).toEqual([
      { from: kStart, to: kStart + 10_000, side: 'before' },
      { from: kStart + 13_000, to: kStart + 19_000, side: 'between' },
    ]);
  });
  it('carry what was dropped', () => {
    expect(shapeSamples([sample(kStart, 1, 0, 7)], kStart, kStart + 1000, 1000).dropped).toEqual([7]);
  });
  it('can be counted in packets', () => {
    expect(shapeSamples([sample(kStart, 500)], kStart, kStart + 1000, 1000, 'packets').values.tcp).toEqual([
      1,
    ]);
  });
  it('are joined as coarsely as the span needs', () => {
    expect(binFor(300_000)).toBe(1000);
    expect(binFor(900_000)).toBe(2000);
  });
});

describe('a series of the API', () => {
  const series: Series = {
    since: iso(0),
    until: iso(180_000),
    step_seconds: 60,
    measure: 'bytes',
    source: 'rollup',
    times: [iso(0), iso(60_000), iso(120_000)],
    series: [
      { key: 'udp', values: [60, null, 0] },
      { key: '6', values: [120, null, 60] },
    ],
  };
  it('becomes rates, keeps its gaps, and has a stable order', () => {
    const shaped = shapeSeries(series);
    expect(shaped.keys).toEqual(['tcp', 'udp']);
    expect(shaped.values.tcp).toEqual([16, null, 8]);
    expect(totals(shaped)).toEqual([24, null, 8]);
  });
  it('shows a newest step that is still being filled at the rate of what has passed', () => {
    const shaped = shapeSeries(series, 150_000);
    expect(shaped.times).toHaveLength(3);
    expect(shaped.values.tcp).toEqual([16, null, 16]);
    expect(shaped.filling).toEqual({ since: 120_000, until: 150_000 });
    expect(shapeSeries(series, 180_000).filling).toBeUndefined();
  });
  it('does not divide by next to nothing, and leaves out what has not begun', () => {
    expect(shapeSeries(series, 120_001).values.tcp![2]).toBe(80);
    expect(shapeSeries(series, 120_000).times).toHaveLength(2);
  });
  it('draws every bucket with its width, also between two gaps', () => {
    const points = outline(shapeSeries(series));
    expect(points.map((p) => p && [p.time, p.high])).toEqual([
      [0, 24],
      [60_000, 24],
      null,
      [120_000, 8],
      [180_000, 8],
      null,
    ]);
    expect(outline(shapeSeries(series, 150_000)).at(-2)!.time).toBe(150_000);
  });
  it('draws buckets without a gap as one run', () => {
    const whole = { ...series, series: [{ key: 'tcp', values: [60, 120, 60] }] };
    expect(outline(shapeSeries(whole)).map((p) => p && p.time)).toEqual([0, 60_000, 120_000, 180_000, null]);
  });
  it('names its gaps, before, between and after what is known', () => {
    const column = [null, null, 60, null, 60, null];
    const times = column.map((_, i) => iso(i * 60_000));
    const shaped = shapeSeries({ ...series, times, series: [{ key: 'tcp', values: column }] });
    expect(gaps(shaped, 30_000, 360_000)).toEqual([
      { from: 30_000, to: 120_000, side: 'before' },
      { from: 180_000, to: 240_000, side: 'between' },
      { from: 300_000, to: 360_000, side: 'after' },
    ]);
    expect(gaps({ ...shaped, values: { tcp: column.map(() => null) } }, 0, 360_000)).toEqual([]);
  });
  it('stacks one key upon the other', () => {
    expect(stack(shapeSeries(series))[1]!.points[0]).toEqual({ time: 0, low: 16, high: 24 });
  });
  it('has a layer of its own for what a port only guesses, upon what is known', () => {
    const mixed: Series = {
      ...series,
      series: [
        { key: 'dns', values: [60, null, 30], guessed: [60, 0, 30] },
        { key: 'tls', values: [120, null, 60], guessed: [30, 0, 0] },
        { key: 'ssh', values: [60, null, 0], guessed: [0, 0, 0] },
      ],
    };
    const shaped = shapeSeries(mixed);
    const first = stack(shaped).map(({ key, isGuess, points: [p] }) => [key, isGuess, p!.low, p!.high]);
    expect(first).toEqual([
      ['dns', false, 0, 0],
      ['dns', true, 0, 8],
      ['ssh', false, 8, 16],
      ['tls', false, 16, 28],
      ['tls', true, 28, 32],
    ]);
    expect(['dns', 'tls', 'ssh'].map((key) => isOnlyGuess(shaped, key))).toEqual([true, false, false]);
    expect(guessAt(shaped, 'tls', 0)).toBe(4);
    const folded = foldRest(shaped, 1);
    expect(folded.keys).toEqual(['tls', 'other']);
    expect(folded.guessed).toEqual({ tls: [4, 0, 0], other: [8, 0, 4] });
    expect(stack(folded).at(-1)!.points[0]!.high).toBe(totals(shaped)[0]);
  });
  it('orders known protocols first and other last', () => {
    expect(['other', 'zzz', 'udp', 'tcp'].sort(compareKeys)).toEqual(['tcp', 'udp', 'zzz', 'other']);
  });
});

describe('a sparkline', () => {
  it('shows a lone value with its width, and keeps a gap', () =>
    expect(sparkPoints([null, 5, null, 1, 0])).toEqual([[1, 5], [2, 5], null, [3, 1], [4, 0], [5, 0], null]));
});

describe('the scale', () => {
  it('ends at a round number above the peak', () => {
    expect(niceCeiling(0)).toBe(1000);
    expect(niceCeiling(2_300_000)).toBe(3_000_000);
    expect(niceCeiling(990)).toBe(1500);
  });
  it('grows at once, shrinks only after a while, and says so', () => {
    let state = nextScale(null, 900, 0);
    expect(state.max).toBe(1000);
    state = nextScale(state, 5000, 1000);
    expect(state.max).toBe(6000);
    state = nextScale(state, 100, 2000);
    expect(state).toMatchObject({ max: 6000, shrankAt: null });
    state = nextScale(state, 5000, 4000);
    expect(state.lowSince).toBeNull();
    state = nextScale(state, 100, 5000);
    state = nextScale(state, 100, 13_000);
    expect(state).toMatchObject({ max: 150, shrankAt: 13_000 });
  });
});

describe('many parts', () => {
  const shaped = {
    times: [0, 1000, 2000],
    stepMs: 1000,
    keys: ['dns', 'ntp', 'tls', 'unknown'],
    values: { dns: [1, 2, null], ntp: [1, 1, null], tls: [50, 60, null], unknown: [9, 0, null] },
    dropped: [0, 0, 0],
  };
  it('become few, the busiest of the whole range, and one for the rest', () => {
    const folded = foldRest(shaped, 2);
    expect(folded.keys).toEqual(['tls', 'unknown', 'other']);
    expect(folded.values.other).toEqual([2, 3, null]);
    expect(totals(folded)).toEqual(totals(shaped));
  });
  it('stay as they are when they are few', () => expect(foldRest(shaped, 4)).toBe(shaped));
});
