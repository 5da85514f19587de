import type { DirectionStatistics, FlowStatistics, Moments } from '../api/types';
import { formatCount, formatDuration, formatNumber } from './format';

export const nanoseconds = (value: number) => formatDuration(value / 1e9);

export interface StatisticsRow {
  label: string;
  help: string;
  forward: string;
  reverse: string;
  // A value that a healthy flow does not have.
  isBad?: boolean;
}

const spread = (moments: Moments, text: (value: number) => string) =>
  moments.count === 0 ? '–' : `${formatCount(moments.minimum)} to ${text(moments.maximum)}`;
const mean = (moments: Moments, text: (value: number) => string) =>
  moments.count === 0 ? '–' : text(moments.mean);
const deviation = (moments: Moments, text: (value: number) => string) =>
  moments.count === 0 ? '–' : text(moments.deviation);
const bytes = (value: number) => `${formatNumber(Math.round(value))}\u00a0B`;

const kDscp: Record<number, string> = {
  0: 'best effort',
  8: 'CS1',
  10: 'AF11',
  18: 'AF21',
  26: 'AF31',
  34: 'AF41',
  46: 'EF',
  48: 'CS6',
  56: 'CS7',
};
const dscp = (value: number) => (kDscp[value] ? `${value} (${kDscp[value]})` : String(value));

const hops = (d: DirectionStatistics) =>
  d.hop_limit_minimum === d.hop_limit_maximum
    ? String(d.hop_limit_minimum)
    : `${d.hop_limit_minimum} to ${d.hop_limit_maximum}`;

// One line a measure, both directions beside each other; what does not apply is left out.
export function statisticsRows({ forward, reverse }: FlowStatistics, protocol: number): StatisticsRow[] {
  const row = (
    label: string,
    help: string,
    of: (direction: DirectionStatistics) => string,
    isBad = false,
  ): StatisticsRow => ({ label, help, forward: of(forward), reverse: of(reverse), isBad });
  const has = (of: (direction: DirectionStatistics) => number) => of(forward) + of(reverse) > 0;
  const rows = [
    row('Size, mean', 'Mean length of the IP packets.', (d) => mean(d.ip_length, bytes)),
    row('Size, range', 'Shortest and longest IP packet.', (d) => spread(d.ip_length, bytes)),
    row('Gap, mean', 'Mean time between two packets of this direction.', (d) =>
      mean(d.inter_arrival, nanoseconds),
    ),
    row(
      'Gap, spread',
      'Standard deviation of that time. Near zero beside a long mean is a machine that keeps a beat.',
      (d) => deviation(d.inter_arrival, nanoseconds),
    ),
    row('Hop limit', 'TTL or hop limit as it arrived here. Different values: more than one path.', hops),
    row('DSCP', 'Class of service of the first packet.', (d) => dscp(d.dscp)),
  ];
  if (protocol === 6) {
    const retransmitted = has((d) => d.retransmissions);
    rows.push(
      row(
        'Sent again',
        'Retransmissions: segments of which every byte had been seen. Loss on the way, or a slow receiver.',
        (d) => formatCount(d.retransmissions),
        retransmitted,
      ),
      row('Out of order', 'Segments that arrived behind later ones, with bytes not seen before.', (d) =>
        formatCount(d.out_of_order),
      ),
      row(
        'Zero windows',
        'Times this side said that it has no room to receive: its program reads too slowly.',
        (d) => formatCount(d.zero_windows),
        has((d) => d.zero_windows),
      ),
      row(
        'Resets',
        'RST segments that this side sent.',
        (d) => formatCount(d.resets),
        has((d) => d.resets),
      ),
    );
  }
  if (has((d) => d.fragments)) {
    rows.push(row('Fragments', 'IP fragments, the first ones included.', (d) => formatCount(d.fragments)));
  }
  if (forward.payload_entropy !== null || reverse.payload_entropy !== null) {
    rows.push(
      row(
        'Entropy',
        'Bits of information per byte of the first payload, 0 to 8. Near 8: encrypted or compressed.',
        (d) => (d.payload_entropy === null ? '–' : d.payload_entropy.toFixed(2)),
      ),
    );
  }
  return rows;
}

const kTunnels = [
  'ipip',
  'gre',
  'erspan',
  'mpls',
  'pppoe',
  'vxlan',
  'geneve',
  'gtp_u',
  'teredo',
  'l2tp',
  'nsh',
  'pbb',
];
// Names, or the bits of the C++ enumeration.
export function tunnelNames(tunnels: FlowStatistics['tunnels'] | null | undefined): string[] {
  if (typeof tunnels === 'number') return kTunnels.filter((_, bit) => tunnels & (1 << bit));
  return tunnels ?? [];
}

export interface StatisticsFact {
  label: string;
  help: string;
  text: string;
}

export function statisticsFacts(statistics: FlowStatistics): StatisticsFact[] {
  const facts: StatisticsFact[] = [];
  const { destination_round_trip, source_round_trip, source_mac, destination_mac } = statistics;
  if (destination_round_trip !== null)
    facts.push({
      label: 'To destination',
      help: 'Round trip from the place of capture to the destination and back: SYN to SYN-ACK.',
      text: nanoseconds(destination_round_trip),
    });
  if (source_round_trip !== null)
    facts.push({
      label: 'To source',
      help: 'Round trip from the place of capture to the source and back: SYN-ACK to ACK.',
      text: nanoseconds(source_round_trip),
    });
  if (source_mac !== null)
    facts.push({
      label: 'From MAC',
      help: 'Of the first packet: the source itself, or its router.',
      text: source_mac,
    });
  if (destination_mac !== null)
    facts.push({
      label: 'To MAC',
      help: 'Of the first packet: the destination itself, or the router to it.',
      text: destination_mac,
    });
  const tunnels = tunnelNames(statistics.tunnels);
  if (tunnels.length > 0)
    facts.push({
      label: 'Tunnels',
      help: 'Encapsulations that the packets came in.',
      text: tunnels.join(', ').replace('gtp_u', 'GTP-U').toUpperCase(),
    });
  return facts;
}
