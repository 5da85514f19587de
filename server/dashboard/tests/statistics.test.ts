import { describe, expect, it } from 'vitest';
import type { DirectionStatistics, FlowStatistics } from '../src/api/types';
import { statisticsFacts, statisticsRows, tunnelNames } from '../src/lib/statistics';

const kNone = { count: 0, minimum: 0, maximum: 0, mean: 0, deviation: 0 };
const direction = (change: Partial<DirectionStatistics> = {}): DirectionStatistics => ({
  ip_length: { count: 3, minimum: 40, maximum: 1500, mean: 533.3, deviation: 600 },
  inter_arrival: { count: 2, minimum: 1000, maximum: 3e6, mean: 1.5e6, deviation: 1e6 },
  hop_limit_minimum: 64,
  hop_limit_maximum: 64,
  dscp: 46,
  fragments: 0,
  retransmissions: 0,
  out_of_order: 0,
  zero_windows: 0,
  resets: 0,
  payload_entropy: null,
  ...change,
});
const statistics = (change: Partial<FlowStatistics> = {}): FlowStatistics => ({
  forward: direction(),
  reverse: direction({ ip_length: kNone, inter_arrival: kNone }),
  inter_arrival: kNone,
  destination_round_trip: null,
  source_round_trip: null,
  source_mac: null,
  destination_mac: null,
  tunnels: [],
  first_packets: [],
  ...change,
});
const row = (all: FlowStatistics, protocol: number, label: string) =>
  statisticsRows(all, protocol).find((r) => r.label === label);

describe('statistics', () => {
  it('have units, and a dash where nothing was counted', () => {
    expect(row(statistics(), 6, 'Size, mean')).toMatchObject({ forward: '533\u00a0B', reverse: '–' });
    expect(row(statistics(), 6, 'Gap, mean')).toMatchObject({ forward: '1.5 ms', reverse: '–' });
    expect(row(statistics(), 6, 'DSCP')?.forward).toBe('46 (EF)');
  });
  it('leave TCP out for other protocols, and fragments and entropy where there are none', () => {
    const labels = statisticsRows(statistics(), 17).map((r) => r.label);
    expect(labels).not.toContain('Sent again');
    expect(labels).not.toContain('Fragments');
    expect(labels).not.toContain('Entropy');
    const with_entropy = statistics({ forward: direction({ payload_entropy: 7.918 }) });
    expect(row(with_entropy, 17, 'Entropy')).toMatchObject({ forward: '7.92', reverse: '–' });
  });
  it('mark what a healthy flow does not have', () => {
    const lossy = statistics({ reverse: direction({ retransmissions: 12 }) });
    expect(row(lossy, 6, 'Sent again')).toMatchObject({ reverse: '12', isBad: true });
    expect(row(statistics(), 6, 'Sent again')?.isBad).toBe(false);
  });
  it('explain every line', () =>
    statisticsRows(statistics(), 6).forEach((r) => expect(r.help.length).toBeGreaterThan(20)));
  it('tell round trips only when they were measured', () => {
    expect(statisticsFacts(statistics())).toEqual([]);
    expect(statisticsFacts(statistics({ destination_round_trip: 26e6 }))[0]?.text).toBe('26 ms');
  });
  it('read tunnels as names and as bits', () => {
    expect(tunnelNames(0b100010)).toEqual(['gre', 'vxlan']);
    expect(tunnelNames(['gtp_u'])).toEqual(['gtp_u']);
    expect(tunnelNames(null)).toEqual([]);
  });
});
