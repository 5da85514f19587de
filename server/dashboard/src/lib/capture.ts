import type { Capture } from '../api/types';
import { formatCount, inWords, plural } from './format';

// Where packets and flows were lost on their way from the wire to the store, stage by stage.
export interface Stage {
  label: string;
  help: string;
  lost: number;
  // What of it is no loss but a fact about the traffic.
  isLoss: boolean;
  parts: string[];
}

// Names of what kept packets from being decoded: the first kind contradicts itself, the second is not read.
const kUnsupported: Record<string, string> = {
  unknown_link_type: 'unknown link type',
  unknown_ether_type: 'unknown EtherType',
  unknown_llc: '802.2 LLC without IP (spanning tree, IS-IS)',
  unknown_ppp_protocol: 'unknown PPP protocol',
  non_data_frame: '802.11 management, control or encrypted frames',
};
const kMalformed: Record<string, string> = {
  truncated_link: 'ends inside the link header',
  truncated_network: 'ends inside the IP or ARP header',
  truncated_transport: 'ends before the ports',
};

function named(reasons: Record<string, number> | undefined, unsupported: boolean): string[] {
  return Object.entries(reasons ?? {})
    .filter(([name, count]) => count > 0 && name in kUnsupported === unsupported)
    .sort((a, b) => b[1] - a[1])
    .map(
      ([name, count]) => `${formatCount(count)} ${kUnsupported[name] ?? kMalformed[name] ?? inWords(name)}`,
    );
}

export function stages(capture: Capture): Stage[] {
  const { ledger, flow_table, store, capture: source, decode_reasons } = capture;
  const drops: Stage[] = source
    ? [
        {
          label: 'Interface',
          help: 'Lost by the network interface or its driver, before the kernel saw them.',
          lost: source.dropped_interface,
          isLoss: true,
          parts: source.outages ? [`${plural(source.outages, 'outage')}: the interface was down`] : [],
        },
        {
          label: 'Kernel ring',
          help: 'Lost because the ring between kernel and capture was full: reading was too slow.',
          lost: source.dropped_buffer,
          isLoss: true,
          parts: [],
        },
      ]
    : [
        {
          label: 'Capture',
          help: 'Lost by the interface, the kernel or a full queue.',
          lost: ledger.dropped,
          isLoss: true,
          parts: [],
        },
      ];
  return [
    ...drops,
    {
      label: 'Malformed',
      help: 'A header contradicts itself or ends too early. Counted in a flow when its addresses could be read.',
      lost: ledger.malformed,
      isLoss: false,
      parts: named(decode_reasons, false),
    },
    {
      label: 'Unsupported',
      help: 'A link type or protocol that is not read. Nothing is wrong with them.',
      lost: ledger.unsupported,
      isLoss: false,
      parts: named(decode_reasons, true),
    },
    {
      label: 'Filtered',
      help: 'Kept out by the capture filter, as wanted.',
      lost: ledger.filtered,
      isLoss: false,
      parts: [],
    },
    {
      label: 'Flow table',
      help: 'Flows that ended early because the table was full: --max-flows.',
      lost: flow_table.evicted,
      isLoss: true,
      parts: [`${formatCount(flow_table.active)} of ${formatCount(flow_table.capacity)} places in use`],
    },
    {
      label: 'Store',
      help: 'Flow records dropped because the disk was too slow or full.',
      lost: store.flows_dropped,
      isLoss: true,
      parts: [`${formatCount(store.flows_written)} flows written, ${formatCount(store.queue)} waiting`],
    },
  ];
}
