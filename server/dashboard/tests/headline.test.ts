import { describe, expect, it } from 'vitest';
import type { Alert, Capture, Sample } from '../src/api/types';
import { headline, type Facts } from '../src/lib/headline';

const capture: Capture = {
  source: 'eth0',
  kind: 'interface',
  state: 'running',
  message: '',
  ledger: { received: 9, decoded: 9, malformed: 0, unsupported: 0, filtered: 0, dropped: 0 },
  flow_table: { active: 1, capacity: 10, started: 1, ended: 0, evicted: 0 },
  store: { flows_written: 0, flows_dropped: 0, queue: 0 },
};
const samples = (rates: number[]): Sample[] =>
  rates.map((bits, i) => ({
    time: new Date(i * 1000).toISOString(),
    seconds: 1,
    packets: 1,
    wire_bytes: bits / 8,
    dropped: 0,
    flows_active: 0,
    flows_started: 0,
    flows_ended: 0,
    protocols: {},
  }));
const alert = (severity: Alert['severity'], state: Alert['state'] = 'open') =>
  ({ id: severity, severity, state }) as unknown as Alert;
const facts = (change: Partial<Facts>): Facts => ({
  live: true,
  capture,
  samples: samples(new Array<number>(200).fill(12.3e6)),
  alerts: [],
  bytes: 1e6,
  flows: 10,
  seconds: 900,
  asOf: null,
  ...change,
});
const say = (change: Partial<Facts>) => {
  const { tone, word, text } = headline(facts(change));
  return { tone, words: `${word}: ${text}`.replace(/\u00a0/g, ' ') };
};

describe('the headline', () => {
  it('says that all is quiet', () => {
    expect(say({})).toEqual({
      tone: 'good',
      words: 'Quiet: 12.3 Mbit/s now, no open alerts, nothing dropped',
    });
  });
  it('puts loss before everything but a failed capture', () => {
    const lossy = { ...capture, ledger: { ...capture.ledger, dropped: 12 } };
    expect(say({ capture: lossy, alerts: [alert('critical')] })).toEqual({
      tone: 'bad',
      words: 'Losing data: 12.3 Mbit/s now, 1 open alert (1 high or critical), 12 packets dropped',
    });
    expect(say({ capture: { ...lossy, state: 'failed', message: 'eth0 went away' } }).words).toBe(
      'Capture failed: eth0 went away',
    );
  });
  it('does not call quiet what it cannot see any more', () => {
    expect(say({ asOf: '08:52:13' })).toEqual({
      tone: 'watch',
      words: 'As of 08:52:13: 12.3 Mbit/s, no open alerts, nothing dropped',
    });
  });
  it('raises its voice for open alerts only, by their severity', () => {
    expect(say({ alerts: [alert('low')] })).toMatchObject({ tone: 'watch' });
    expect(say({ alerts: [alert('high', 'closed')] })).toMatchObject({ tone: 'good' });
    expect(say({ alerts: [alert('high')] })).toMatchObject({ tone: 'bad' });
  });
  it('knows no rate of now when the capture has ended', () => {
    expect(say({ capture: { ...capture, state: 'ended' } })).toEqual({
      tone: 'watch',
      words: 'Capture ended: 8.89 kbit/s on average, no open alerts, nothing dropped',
    });
    expect(say({ capture: { ...capture, state: 'ended', kind: 'file' } })).toMatchObject({ tone: 'good' });
  });
  it('notices a rate far above the usual', () => {
    expect(
      say({ samples: samples([...new Array<number>(200).fill(1e6), ...new Array<number>(5).fill(9e6)]) }),
    ).toMatchObject({ tone: 'watch' });
  });
  it('speaks of averages when the range is over', () => {
    expect(say({ live: false }).words).toBe('Quiet: 8.89 kbit/s on average, no open alerts, nothing dropped');
    expect(say({ live: false, flows: 0, bytes: 0 }).words).toBe(
      'Nothing recorded: no flow ended in this range, no open alerts',
    );
  });
});
