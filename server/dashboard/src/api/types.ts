// The shapes of docs/rest_api.md, by the same names.

export type Role = 'viewer' | 'operator' | 'admin';
export interface User {
  username: string;
  role: Role;
}
export interface UserRow extends User {
  created: string;
}

export interface Login {
  token: string;
  refresh_token: string;
  expires_in: number;
  user?: User;
}

export interface Flow {
  id: number;
  first_seen: string;
  last_seen: string;
  protocol: number;
  source_address: string;
  source_port: number;
  destination_address: string;
  destination_port: number;
  vlan: number | null;
  forward_packets: number;
  forward_wire_bytes: number;
  forward_ip_bytes: number;
  forward_payload_bytes: number;
  reverse_packets: number;
  reverse_wire_bytes: number;
  reverse_ip_bytes: number;
  reverse_payload_bytes: number;
  forward_tcp_flags: number;
  reverse_tcp_flags: number;
  application: string | null;
  end_reason: string;
}
export type FlowOrder = '-last_seen' | 'last_seen' | '-bytes' | '-packets';
export interface FlowPage {
  flows: Flow[];
  next_cursor: string | null;
}

export type Measure = 'bytes' | 'packets' | 'flows';
export interface Series {
  since: string;
  until: string;
  step_seconds: number;
  measure: Measure;
  source: 'rollup' | 'raw';
  times: string[];
  series: { key: string; values: (number | null)[] }[];
}

export type Dimension =
  'address' | 'source_address' | 'destination_address' | 'protocol' | 'source_port' | 'destination_port';
export interface TopRow {
  key: string;
  bytes: number;
  packets: number;
  flows: number;
  sent_bytes?: number;
  received_bytes?: number;
}
export interface Top {
  since: string;
  until: string;
  dimension: Dimension;
  by: Measure;
  source: string;
  total: { bytes: number; packets: number; flows: number };
  rows: TopRow[];
}

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';
export interface Alert {
  id: string | number;
  time: string;
  detector: string;
  class: string;
  severity: Severity;
  score: number | null;
  observed: number | null;
  expected: number | null;
  unit: string;
  entity: { source?: string | null; destination?: string | null; service?: string | null };
  window_seconds: number | null;
  evidence: Record<string, unknown> | null;
  technique: string | null;
  state: 'open' | 'updated' | 'closed';
  count: number;
  summary: string;
}
export interface AlertPage {
  alerts: Alert[];
  next_cursor: string | null;
}

export interface Ledger {
  received: number;
  decoded: number;
  malformed: number;
  unsupported: number;
  filtered: number;
  dropped: number;
}
export interface Capture {
  source: string;
  kind: 'interface' | 'file' | 'replay';
  state: 'running' | 'ended' | 'failed';
  message: string;
  ledger: Ledger;
  flow_table: { active: number; capacity: number; started: number; ended: number; evicted: number };
  store: { flows_written: number; flows_dropped: number; queue: number };
}

export interface Summary {
  since: string;
  until: string;
  flows: number;
  packets: number;
  bytes: number;
  mean_packet_bytes: number;
  alerts: number;
  protocols: TopRow[];
  top_sources: TopRow[];
  top_destinations: TopRow[];
  top_destination_ports: TopRow[];
  capture: Capture;
}

export interface Sample {
  time: string;
  seconds: number;
  packets: number;
  wire_bytes: number;
  dropped: number;
  flows_active: number;
  flows_started: number;
  flows_ended: number;
  protocols: Record<string, { packets: number; wire_bytes: number }>;
}
export interface Talker {
  address: string;
  wire_bytes: number;
  packets: number;
  sent_wire_bytes: number;
  received_wire_bytes: number;
}
