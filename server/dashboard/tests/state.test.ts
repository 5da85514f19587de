import { describe, expect, it } from 'vitest';
import { latestPerAlert } from '../src/api/endpoints';
import type { Problem } from '../src/api/problem';
import type { Alert, Sample } from '../src/api/types';
import { ClockOffset, mergeSamples } from '../src/state/live';
import { retryDelayMs } from '../src/state/query';
import { streamCovers } from '../src/state/throughput';
import { formatView, parseView, viewAfter } from '../src/state/view';

const sample = (second: number) => ({ time: new Date(second * 1000).toISOString(), seconds: 1 }) as Sample;

describe('the view in the address', () => {
  it('survives the way there and back', () => {
    const hash = '#/explore?since=-6h&until=now&where=src%3D10.0.0.0%2F8+and+port%3E1&tz=utc&order=-bytes';
    const view = parseView(hash);
    expect(view).toEqual({
      page: 'explore',
      item: '',
      range: { since: '-6h', until: 'now' },
      where: 'src=10.0.0.0/8 and port>1',
      zone: 'utc',
      extra: { order: '-bytes' },
    });
    expect(parseView(formatView(view))).toEqual(view);
  });
  it('names the host that a page is about, whatever its address looks like', () => {
    const view = parseView('#/hosts/2001%3Adb8%3A%3A1?since=-6h&until=now&mix=category');
    expect(view).toMatchObject({ page: 'hosts', item: '2001:db8::1', extra: { mix: 'category' } });
    expect(parseView(formatView(view))).toEqual(view);
    const other = viewAfter(view, { page: 'hosts', item: '10.0.0.1' });
    expect(other).toMatchObject({ item: '10.0.0.1', extra: {} });
    expect(viewAfter(view, { where: 'port=53' })).toMatchObject({ item: '2001:db8::1', where: 'port=53' });
    expect(viewAfter(view, { page: 'hosts' }).item).toBe('');
    expect(parseView('#/hosts/%E0%A4%A?since=-6h&until=now').item).toBe('');
  });
  it('falls back to sense when the link is broken', () => {
    expect(parseView('#/overview?since=soon&until=never').range).toEqual({ since: '-15m', until: 'now' });
    expect(parseView('').page).toBe('overview');
  });
  it('keeps range and filter between pages, and drops what belonged to the page', () => {
    const next = viewAfter(parseView('#/explore?since=-6h&until=now&where=port%3D53&order=-bytes'), {
      page: 'alerts',
      extra: { alert: '7' },
    });
    expect(next).toMatchObject({
      page: 'alerts',
      where: 'port=53',
      range: { since: '-6h' },
      extra: { alert: '7' },
    });
  });
});

describe('live samples', () => {
  it('are appended, and merged after a reconnect', () => {
    expect(mergeSamples([sample(1), sample(2)], [sample(3)])).toHaveLength(3);
    expect(
      mergeSamples([sample(1), sample(5)], [sample(4), sample(5), sample(6)]).map((s) => s.time),
    ).toEqual([1, 4, 5, 6].map((s) => sample(s).time));
  });
  it("tell the server's clock from a recording's", () => {
    const offset = (second: number, now: number) => new ClockOffset().observe(sample(second).time, now);
    expect(offset(100, 100_500)).toBe(0);
    expect(offset(160, 100_000)).toBe(61_000);
    expect(offset(100, 900_000_000)).toBe(0);
  });
  it('that come late on a quiet link do not move the clock', () => {
    const clock = new ClockOffset();
    expect(clock.observe(sample(100).time, 101_100)).toBe(0);
    expect(clock.observe(sample(101).time, 120_000)).toBe(0);
  });
  it('serve a fixed range only where they reach', () => {
    const known = [sample(100), sample(200)];
    const fixed = { since: '1970-01-01T00:02:00Z', until: '1970-01-01T00:03:00Z' };
    expect(streamCovers(known, fixed, 120_000, 180_000)).toBe(true);
    expect(streamCovers(known, fixed, 20_000, 180_000)).toBe(false);
    expect(streamCovers([], { since: '-15m', until: 'now' }, 0, 900_000)).toBe(true);
    expect(streamCovers([], { since: '-1h', until: 'now' }, 0, 3600_000)).toBe(false);
  });
});

describe('retries', () => {
  const problem = { kind: 'offline' } as Problem;
  it('wait longer each time, up to a minute, and as long as the server asks', () => {
    expect([0, 1, 2, 9].map((n) => retryDelayMs(n, problem))).toEqual([2000, 4000, 8000, 60_000]);
    expect(retryDelayMs(0, { ...problem, retryAfterSeconds: 17 })).toBe(17_000);
  });
});

describe('alerts', () => {
  it('are shown in their newest state, newest first', () => {
    const report = (id: string, time: string, state: string) => ({ id, time, state }) as unknown as Alert;
    const shown = latestPerAlert([
      report('a', '2026-01-01T00:00:01Z', 'open'),
      report('b', '2026-01-01T00:00:03Z', 'open'),
      report('a', '2026-01-01T00:00:02Z', 'closed'),
    ]);
    expect(shown.map((a) => `${a.id}${a.state}`)).toEqual(['bopen', 'aclosed']);
  });
});
