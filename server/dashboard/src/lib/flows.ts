import type { Flow } from '../api/types';
import type { Cell } from './csv';
import { parseTime } from './time';

export const flowBytes = (flow: Flow) => flow.forward_wire_bytes + flow.reverse_wire_bytes;
export const flowPackets = (flow: Flow) => flow.forward_packets + flow.reverse_packets;
export const flowSeconds = (flow: Flow) =>
  Math.max(0, (parseTime(flow.last_seen) - parseTime(flow.first_seen)) / 1000);
export const hasPorts = (flow: Flow) => flow.source_port > 0 || flow.destination_port > 0;

// Every field the API gave, under its own name: what is exported can be read by any program that knows the API.
export const kFlowFields: (keyof Flow)[] = [
  'id',
  'first_seen',
  'last_seen',
  'protocol',
  'source_address',
  'source_port',
  'destination_address',
  'destination_port',
  'vlan',
  'forward_packets',
  'forward_wire_bytes',
  'forward_ip_bytes',
  'forward_payload_bytes',
  'reverse_packets',
  'reverse_wire_bytes',
  'reverse_ip_bytes',
  'reverse_payload_bytes',
  'forward_tcp_flags',
  'reverse_tcp_flags',
  'application',
  'category',
  'evidence',
  'tcp_state',
  'end_reason',
  'outcome',
  'community_id',
  'icmp',
  'metadata',
  'statistics',
];
// What is more than a number or a text becomes JSON in its cell.
function cell(value: Flow[keyof Flow]): Cell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
export const flowCells = (flow: Flow): Cell[] => kFlowFields.map((field) => cell(flow[field]));
