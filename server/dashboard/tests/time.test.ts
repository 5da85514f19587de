import { describe, expect, it } from 'vitest';
import {
  absoluteRange,
  describeRange,
  formatAbsolute,
  formatRelative,
  formatTick,
  fromInput,
  isLive,
  isValidRange,
  parseRelative,
  parseTime,
  resolveRange,
  shiftRange,
  toInput,
  zoomOut,
} from '../src/lib/time';

const kNow = Date.UTC(2026, 10, 22, 8, 0, 0);

describe('ranges', () => {
  it('read relative times', () => {
    expect(parseRelative('now')).toBe(0);
    expect(parseRelative('-15m')).toBe(-900_000);
    expect(parseRelative('-7d')).toBe(-604_800_000);
    expect(parseRelative('15m')).toBeNull();
    expect(parseRelative('-15x')).toBeNull();
  });
  it('read RFC 3339 with nanoseconds', () => {
    expect(parseTime('2026-11-22T08:00:00.000000000Z')).toBe(kNow);
    expect(parseTime('2026-11-22T08:00:00.123456789Z')).toBeCloseTo(kNow + 123.456789, 3);
    expect(parseTime('2026-11-22T09:00:00+01:00')).toBe(kNow);
    expect(parseTime('yesterday')).toBeNaN();
  });
  it('resolve against a given now', () => {
    expect(resolveRange({ since: '-1h', until: 'now' }, kNow)).toEqual([kNow - 3600e3, kNow]);
  });
  it('know live from fixed and valid from not', () => {
    expect(isLive({ since: '-1h', until: 'now' })).toBe(true);
    expect(isLive({ since: '2026-11-22T07:00:00Z', until: 'now' })).toBe(false);
    expect(isValidRange({ since: 'now', until: '-1h' })).toBe(false);
    expect(isValidRange({ since: 'x', until: 'now' })).toBe(false);
  });
  it('widen to the next preset while live, and never beyond the last', () => {
    expect(zoomOut({ since: '-15m', until: 'now' }, kNow)).toEqual({ since: '-1h', until: 'now' });
    expect(zoomOut({ since: '-30d', until: 'now' }, kNow)).toEqual({ since: '-30d', until: 'now' });
  });
  it('step to the range beside, and are live again where that reaches the present', () => {
    const hour = { since: '-1h', until: 'now' };
    const before = shiftRange(hour, -1, kNow);
    expect(resolveRange(before, kNow)).toEqual([kNow - 2 * 3600e3, kNow - 3600e3]);
    expect(resolveRange(shiftRange(before, -1, kNow), kNow)).toEqual([kNow - 3 * 3600e3, kNow - 2 * 3600e3]);
    expect(shiftRange(before, 1, kNow)).toEqual(hour);
    expect(shiftRange(hour, 1, kNow)).toEqual(hour);
    const odd = absoluteRange(kNow - 100e3, kNow - 50e3);
    expect(resolveRange(shiftRange(odd, 1, kNow), kNow)).toEqual([kNow - 50e3, kNow]);
  });
  it('widen twofold around the middle when fixed, never past now', () => {
    const inPast = zoomOut(absoluteRange(kNow - 20 * 60e3, kNow - 18 * 60e3), kNow);
    expect(resolveRange(inPast, kNow)).toEqual([kNow - 21 * 60e3, kNow - 17 * 60e3]);
    const atEnd = zoomOut(absoluteRange(kNow - 60e3, kNow), kNow);
    expect(resolveRange(atEnd, kNow)).toEqual([kNow - 120e3, kNow]);
  });
  it('are described in words', () => {
    expect(describeRange({ since: '-24h', until: 'now' }, 'utc')).toBe('Last 24 hours');
    expect(describeRange(absoluteRange(kNow - 60e3, kNow), 'utc')).toBe('2026-11-22 07:59:00 – 08:00:00');
  });
});

describe('times', () => {
  it('name their zone when it is not the local one', () =>
    expect(formatAbsolute(kNow, 'utc')).toBe('2026-11-22 08:00:00 UTC'));
  it('survive the input field in both zones', () => {
    for (const zone of ['utc', 'local'] as const) expect(fromInput(toInput(kNow, zone), zone)).toBe(kNow);
  });
  it('are relative to now', () => {
    expect(formatRelative(kNow - 500, kNow)).toBe('now');
    expect(formatRelative(kNow - 42_000, kNow)).toBe('42 s ago');
    expect(formatRelative(kNow - 7200e3, kNow)).toBe('2 h ago');
    expect(formatRelative(kNow + 60e3, kNow)).toBe('ahead of now');
  });
  it('label ticks as finely as the step needs', () => {
    expect(formatTick(kNow, 10_000, 'utc')).toBe('08:00:00');
    expect(formatTick(kNow, 300_000, 'utc')).toBe('08:00');
    expect(formatTick(kNow, 86_400_000, 'utc')).toBe('11-22');
  });
});
