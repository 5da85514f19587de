// The shapes of docs/rest_api.md, by the same names.

export type Role = 'viewer' | 'operator' | 'admin';
export interface User {
  username: string;
  role: Role;
}
export interface UserRow extends User {
  created: string;
}

export type LogKind = 'server' | 'security';
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';
export interface LogEvent {
  time: string;
  level: LogLevel;
  kind: string;
  component: string;
  message: string;
  fields?: Record<string, string | number | boolean>;
}
export interface LogPage {
  events: LogEvent[];
  next_cursor: string | null;
  unreadable: number;
}
export interface LogRotation {
  max_bytes: number;
  max_age_seconds: number;
  keep: number;
  compression: 'none' | 'gzip' | 'zstd';
}

export type AuditOutcome = 'begun' | 'done' | 'refused' | 'failed';
export interface AuditRecord {
  sequence: number;
  time: string;
  actor: string;
  role: string;
  address: string;
  act: string;
  target: string;
  outcome: AuditOutcome;
  about: number | null;
  details: Record<string, string>;
}
export interface AuditPage {
  records: AuditRecord[];
  next_cursor: string | null;
  unreadable: number;
}
export interface AuditReport {
  ok: boolean;
  integrity: 'intact' | 'damaged';
  authenticity: 'proven' | 'not_proven' | 'forged';
  completeness: 'complete' | 'incomplete' | 'unknown';
  files: number;
  records: number;
  bytes: number;
  first_sequence: number;
  last_sequence: number;
  checkpoint_count: number;
  faults: { file: string; offset: number; sequence: number; reason: string }[];
  summary: string;
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
  // Absent from servers that do not tell.
  outcome?: string;
  category?: string | null;
  evidence?: Evidence | null;
  tcp_state?: string | null;
  icmp?: { type: number; code: number } | null;
  community_id?: string | null;
  metadata?: Record<string, string> | null;
  statistics?: FlowStatistics | null;
}
export type Evidence = 'none' | 'port' | 'name' | 'payload';

// Bytes, or nanoseconds between packets; all 0 when count is 0.
export interface Moments {
  count: number;
  minimum: number;
  maximum: number;
  mean: number;
  deviation: number;
}
export interface DirectionStatistics {
  ip_length: Moments;
  inter_arrival: Moments;
  hop_limit_minimum: number;
  hop_limit_maximum: number;
  dscp: number;
  fragments: number;
  retransmissions: number;
  out_of_order: number;
  zero_windows: number;
  resets: number;
  payload_entropy: number | null;
}
export interface PacketSample {
  // Nanoseconds since first_seen.
  offset: number;
  ip_bytes: number;
  payload_bytes: number;
  is_forward: boolean;
}
export interface FlowStatistics {
  forward: DirectionStatistics;
  reverse: DirectionStatistics;
  inter_arrival: Moments;
  // Nanoseconds.
  destination_round_trip: number | null;
  source_round_trip: number | null;
  source_mac: string | null;
  destination_mac: string | null;
  // The OR of what the packets came in; see docs/formats.md.
  tunnels: number | string[];
  first_packets: PacketSample[];
}
export type FlowOrder = '-last_seen' | 'last_seen' | '-bytes' | '-packets';
// What capture saw and lost in the interval of an answer.
export interface CaptureCounts {
  packets_seen: number;
  packets_dropped: number;
  flows_evicted: number;
  flows_dropped: number;
}
// How an answer came about; absent from servers that do not tell.
export interface Answered {
  source?: string;
  capture?: CaptureCounts;
}
export interface FlowPage {
  flows: Flow[];
  next_cursor: string | null;
  capture?: CaptureCounts;
}

export type SeriesBy = 'protocol' | 'application' | 'category' | 'none';
export type Measure = 'bytes' | 'packets' | 'flows';
export interface Series {
  since: string;
  until: string;
  step_seconds: number;
  measure: Measure;
  source: 'rollup' | 'raw';
  capture?: CaptureCounts;
  times: string[];
  // `guessed`: what of the values is only guessed by a port.
  series: { key: string; values: (number | null)[]; guessed?: number[] }[];
}

export type Dimension =
  | 'address'
  | 'source_address'
  | 'destination_address'
  | 'protocol'
  | 'source_port'
  | 'destination_port'
  | 'application'
  | 'category'
  | 'server_name'
  | 'vlan';
export interface TopRow {
  key: string;
  bytes: number;
  packets: number;
  flows: number;
  sent_bytes?: number;
  received_bytes?: number;
  // What of an application or a category is only guessed by a port.
  guessed?: Totals;
}
export interface Top extends Counted {
  since: string;
  until: string;
  dimension: Dimension;
  by: Measure;
  source: string;
  total: Totals;
  // What of the total belongs to no key: flows of unknown application.
  other?: Totals | null;
  rows: TopRow[];
}
export interface Totals {
  bytes: number;
  packets: number;
  flows: number;
}

// One pair of addresses, `source` having spoken first.
export interface Conversation extends Totals {
  source: string;
  destination: string;
  source_name?: string | null;
  destination_name?: string | null;
  // Sent by the source, and by the destination.
  forward_bytes: number;
  reverse_bytes: number;
}
export interface Conversations extends Counted {
  since: string;
  until: string;
  by: Measure;
  source: string;
  total: Totals;
  rows: Conversation[];
}

// A name that was valid for the address at least from `first_seen` to `last_seen`.
export interface HostName {
  name: string;
  // known_as: DNS, DHCP, TLS or HTTP seen earlier gave it; asked_for: clients asked the address for it.
  origin: 'known_as' | 'asked_for';
  first_seen: string;
  last_seen: string;
}
// By what addresses were known, of each its latest names.
export interface AddressNames {
  since: string;
  until: string;
  complete: boolean;
  rows: { address: string; names: HostName[] }[];
}
// What was counted from the flows themselves: the newest `examined_flows`, all of them when complete.
export interface Counted {
  capture?: CaptureCounts;
  examined_flows?: number;
  complete?: boolean;
}
export interface Host extends Counted {
  address: string;
  since: string;
  until: string;
  names: HostName[];
  // false: older flows may know more names.
  names_complete?: boolean;
  first_seen: string | null;
  last_seen: string | null;
  total: Totals;
  sent_bytes: number;
  received_bytes: number;
  peers: Conversation[];
  // Ports of other hosts that it reached, and its own that others reached.
  ports: TopRow[];
  served_ports: TopRow[];
  // Flows whose service is on the other side.
  ports_other?: Totals;
  served_ports_other?: Totals;
  applications: TopRow[];
  flows: Flow[];
  alerts: Alert[];
}

export interface ApplicationEntry {
  number: number;
  name: string;
  category: string;
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
  // Absent from servers that do not tell.
  confidence?: number;
  band_low?: number | null;
  band_high?: number | null;
  first_seen?: string | null;
  last_seen?: string | null;
  peers?: { name: string; share: number }[];
  advice?: string;
  suppressed_by?: string;
  // What it is in few words; a rule's own title.
  title?: string;
  // Before the alert, kept for a while: how many may be saved.
  packets?: number;
  handling?: AlertHandling;
}
export interface AlertHandling {
  acknowledged_by: string | null;
  acknowledged: string | null;
  notes: { author: string; time: string; text: string }[];
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
  // Where packets were lost on the way; absent from servers that do not tell.
  capture?: {
    received: number;
    dropped_buffer: number;
    dropped_interface: number;
    outages?: number;
    outage_seconds?: number;
  };
  // Packets by what kept them from being decoded in full: {"unknown_link_type": 3}.
  decode_reasons?: Record<string, number>;
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
  // The state of now, with the counts of the interval.
  capture: Capture & Partial<CaptureCounts>;
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

export interface Backup {
  name: string;
  time: string;
  stored_bytes: number;
  content_bytes: number;
  tool: string;
  schema_version: number;
  compression: 'zstd' | 'none';
  encrypted: boolean;
  // When it was last restored into a scratch place and compared; null: never.
  verified: string | null;
  // Why it is not to be relied on; empty: no reason is known.
  problem: string;
}

export interface PrunePolicy {
  last: number;
  daily: number;
  weekly: number;
  monthly: number;
  max_bytes?: number;
}

// What has happened to the server itself.
export interface ServerNotice {
  id: string;
  kind: string;
  text: string;
  time: string;
}

export interface Threat {
  class: string;
  alerts: number;
  open: number;
  suppressed: number;
  worst: Severity;
  last: string | null;
  sources: { address: string; alerts: number }[];
  destinations: { address: string; alerts: number }[];
}
export interface AlertRule {
  id: string;
  title: string;
  expression: string;
  severity: Severity;
  close_below: number;
  hold_seconds: number;
  enabled: boolean;
  unit: string;
  counts_at_start: boolean;
  author: string;
  updated: string | null;
}
export type RuleCheck =
  | { valid: true; expression: string; unit: string; counts_at_start: boolean }
  | { valid: false; message: string; position: number };
export interface Suppression {
  id: string;
  kind: 'suppression' | 'maintenance' | 'allow';
  sources: string[];
  destinations: string[];
  hosts: string[];
  ports: string[];
  domains: string[];
  detectors: string[];
  classes: string[];
  begins: string | null;
  expires: string | null;
  weekly: string | null;
  reason: string;
  author: string;
  created: string | null;
  hidden_alerts: number;
  hidden_states: number;
  last_hidden: string | null;
}
export interface DetectorRow {
  name: string;
  enabled: boolean;
  sensitivity: 'low' | 'normal' | 'high';
  has_sensitivity: boolean;
  running: boolean;
  memory_bytes: number;
  memory_limit_bytes: number;
  evictions: number;
  alerts: number;
  // Why a block list could not be read again.
  problem: string | null;
  block_entries?: number;
  about: string;
  stored_flows: 'none' | 'part' | 'full';
  stored_flows_note: string | null;
  options: DetectorOption[];
}
export type OptionValue = boolean | number | string[];
export interface DetectorOption {
  name: string;
  about: string;
  kind: 'flag' | 'count' | 'number' | 'seconds' | 'networks' | 'ports' | 'domains' | 'files' | 'entries';
  default: OptionValue;
  value: OptionValue;
  is_set: boolean;
  is_scaled: boolean;
  least?: number;
  most?: number;
}
export interface DetectorChange {
  enabled?: boolean;
  sensitivity?: DetectorRow['sensitivity'];
  options?: Record<string, OptionValue | null>;
}
export interface BacktestSubject {
  expression?: string;
  rule?: string;
  detector?: string;
  sensitivity?: DetectorRow['sensitivity'];
}
export interface BacktestReport {
  flows: number;
  packets: number;
  late_flows: number;
  since: string | null;
  until: string | null;
  days: number;
  span_seconds: number;
  covers_a_day: boolean;
  alerts: number;
  hidden: number;
  alerts_per_day: number;
  by_class: Record<string, number>;
  by_detector: Record<string, number>;
  by_day: Record<string, number>;
  score_for_budget: number;
  samples: Alert[];
}
export interface BacktestResult {
  report: BacktestReport;
  // What stored flows cannot tell the detectors, and what the figures do not say by themselves.
  notes?: string[];
  against?: BacktestReport;
  difference?: {
    same: number;
    appear_count: number;
    vanish_count: number;
    appear: Alert[];
    vanish: Alert[];
  };
  suggestion?: {
    wanted_per_day: number;
    // Of a rule.
    threshold?: number | null;
    current?: { threshold: number; alerts: number; alerts_per_day: number } | null;
    points?: { threshold: number; alerts: number; alerts_per_day: number }[];
    // Of detectors.
    detectors?: {
      detector: string;
      sensitivity: DetectorRow['sensitivity'] | null;
      points: { sensitivity: DetectorRow['sensitivity']; alerts: number; alerts_per_day: number }[];
    }[];
  };
}
export interface UserNotification {
  id: string;
  time: string;
  severity: Severity;
  subject: string;
  text: string;
  alert: string;
  read: boolean;
}
export interface UserNotifications {
  unread: number;
  notifications: UserNotification[];
}
export type ChannelKind = 'email' | 'webhook' | 'syslog';
export interface Channel {
  id: string;
  name: string;
  kind: ChannelKind;
  enabled: boolean;
  // Its password or secret cannot be read any more; nothing is sent until it is entered again.
  needs_secret: boolean;
  settings: Record<string, unknown>;
  status: {
    sent: number;
    delivered: number;
    failed_attempts: number;
    refused: number;
    dropped: number;
    queued: number;
    resting: boolean;
    last_success: string | null;
    next_attempt: string | null;
    last_error: string;
  };
}
export interface NotificationRoute {
  id: string;
  channel: string;
  min_severity: Severity;
  classes: string[];
  states: string[];
  digest_seconds: number;
}
