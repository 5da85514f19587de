// Health, incidents, schedule and retention: the shapes of docs/health.md, incidents.md and schedule.md, and the calls.
import { client } from './client';
import type { Interval } from './endpoints';
import type { Severity } from './types';

export interface HealthFinding {
  name: string;
  level: 'warning' | 'critical';
  state: string;
  since: string;
  time: string;
  value: number;
  limit: number;
  summary: string;
  words: string;
}
export interface CpuUsage {
  usage: number;
  user: number;
  system: number;
  iowait: number;
  steal: number;
}
export interface FileSystem {
  mount_point: string;
  device: string;
  type: string;
  read_only: boolean;
  total_bytes: number;
  available_bytes: number;
  usage: number | null;
}
export interface Disk {
  name: string;
  is_partition: boolean;
  read_bytes_per_second: number | null;
  written_bytes_per_second: number | null;
  busy: number | null;
}
export interface Interface {
  name: string;
  state: string;
  bits_per_second: number | null;
  received_bytes_per_second: number | null;
  sent_bytes_per_second: number | null;
  received_errors: number;
  received_drops: number;
  sent_errors: number;
  sent_drops: number;
  received_errors_per_second: number | null;
  received_drops_per_second: number | null;
  sent_errors_per_second: number | null;
  sent_drops_per_second: number | null;
}
export interface Machine {
  time: string;
  uptime_seconds: number | null;
  cpu: CpuUsage | null;
  core_count: number;
  cores: ({ number: number } & CpuUsage)[];
  load: { one: number; five: number; fifteen: number } | null;
  memory: {
    total_bytes: number;
    available_bytes: number;
    usage: number;
    swap_total_bytes: number;
    swap_free_bytes: number;
    limit_bytes: number | null;
    limit_used_bytes: number | null;
  } | null;
  pressure: { cpu: number | null; memory: number | null; io: number | null };
  disks: Disk[];
  file_systems: FileSystem[];
  interfaces: Interface[];
  temperatures: { name: string; celsius: number; critical_celsius: number | null }[];
  process: {
    resident_bytes: number;
    cpu: number | null;
    threads: number;
    open_files: number | null;
    open_files_limit: number | null;
    age_seconds: number | null;
  } | null;
  problems: string[];
  omitted: number;
}
export interface Latency {
  requests: number;
  p50_seconds: number;
  p95_seconds: number;
  p99_seconds: number;
}
export interface Health {
  // How many are set; without any, nobody watches.
  thresholds: number;
  status: 'ok' | 'warning' | 'critical';
  summary: string;
  time: string;
  findings: HealthFinding[];
  machine: Machine;
  pipeline: Record<string, number>;
  api: {
    latest: Latency;
    since_start: Latency;
    server_errors: number;
    slowest: { route: string; latency: Latency }[];
  };
}
export interface SamplePoint {
  time: string;
  count: number;
  minimum: number;
  mean: number;
  maximum: number;
}
export interface HealthSeries {
  since: string;
  until: string;
  step_seconds: number;
  lines: { name: string; points: SamplePoint[] }[];
}

export type IncidentState = 'open' | 'investigating' | 'contained' | 'resolved' | 'closed';
export interface IncidentSummary {
  id: string;
  title: string;
  description: string;
  severity: Severity;
  state: IncidentState;
  assignee: string;
  created_by: string;
  created: string;
  updated: string;
  ended: string | null;
  links: number;
  evidence: number;
  comments: number;
  version: number;
}
export interface IncidentLink {
  id: number;
  kind: 'alert' | 'flows' | 'rule' | 'note';
  target: string;
  since: string | null;
  until: string | null;
  note: string;
  snapshot: unknown;
  author: string;
  time: string;
}
export interface IncidentEvidence {
  id: number;
  name: string;
  media_type: string;
  description: string;
  size_bytes: number;
  sha256: string;
  author: string;
  time: string;
  complete: boolean;
}
export interface IncidentEntry {
  id: number;
  time: string;
  author: string;
  act: string;
  field: string;
  before: string;
  after: string;
  text: string;
}
export interface Incident extends Omit<IncidentSummary, 'links' | 'evidence' | 'comments'> {
  links: IncidentLink[];
  evidence: IncidentEvidence[];
  timeline: IncidentEntry[];
}
export interface IncidentPage {
  incidents: IncidentSummary[];
  next_cursor: string | null;
}

export interface JobRun {
  due: string;
  started: string;
  finished: string | null;
  seconds: number | null;
  cause: 'schedule' | 'missed' | 'by_hand';
  outcome: 'running' | 'ok' | 'failed' | 'interrupted';
  message: string;
  missed: number;
}
// Either an interval or a time of day.
export interface JobTiming {
  every_seconds: number | null;
  daily_at: string | null;
  zone: 'local' | 'utc' | null;
}
export interface ScheduledJob {
  name: string;
  description: string;
  timing: JobTiming;
  timing_in_words: string;
  default_timing: JobTiming;
  // The shortest interval that it takes.
  least_seconds: number;
  paused: boolean;
  running: boolean;
  requested: boolean;
  next_due: string | null;
  runs: number;
  failures: number;
  failures_in_a_row: number;
  missed: number;
  problem: string;
  history: JobRun[];
}

export interface RetentionSettings {
  flow_days: number | null;
  alert_days: number | null;
  sample_days: number | null;
  incident_days: number | null;
  flow_bytes: number | null;
  alert_bytes: number | null;
  sample_bytes: number | null;
  incident_bytes: number | null;
  max_bytes: number | null;
}
export interface KindUsage {
  count: number;
  bytes: number;
}
export interface StoreUsage {
  flows: KindUsage;
  alerts: KindUsage;
  samples: KindUsage;
  incidents: KindUsage;
  other_bytes: number;
}
export interface Retention {
  settings: RetentionSettings;
  problem: string;
  size: { file_bytes: number; free_bytes: number; log_bytes: number; flows: number };
  usage: StoreUsage;
  growth_bytes_per_day: number | null;
  // What deletes; absent from servers that do not tell.
  job?: ScheduledJob | null;
}
export interface RetentionPreview {
  flows: number;
  alerts: number;
  samples: number;
  incidents: number;
  // About so many more for the bytes of their kind.
  flows_by_bytes: number;
  alerts_by_bytes: number;
  samples_by_bytes: number;
  incidents_by_bytes: number;
  over_max_bytes: boolean;
  // By how much, and about how many flows make it up.
  excess_bytes: number;
  flows_by_size: number;
}
export interface DailySummary {
  day: string;
  text: string;
  made: string;
}

const read = async <T>(path: string, params: object = {}, signal?: AbortSignal) =>
  (await client.http.get<T>(path, { params, signal })).data;
const kept = (params: Record<string, string | number | null | undefined>) =>
  Object.fromEntries(Object.entries(params).filter(([, v]) => v !== undefined && v !== null && v !== ''));

export const getHealth = (signal?: AbortSignal) => read<Health>('/api/v1/health', {}, signal);
export interface HealthThreshold {
  name: string;
  level: 'warning' | 'critical';
  raise_at: number;
  clear_at: number;
  hold_seconds: number;
}
export interface HealthThresholds {
  thresholds: HealthThreshold[];
  defaults: HealthThreshold[];
}
export const getHealthThresholds = (signal?: AbortSignal) =>
  read<HealthThresholds>('/api/v1/health/thresholds', {}, signal);
export const setHealthThresholds = async (thresholds: HealthThreshold[]) =>
  (await client.http.put<HealthThresholds>('/api/v1/health/thresholds', { thresholds })).data;
export const getHealthSeries = (names: string[], interval: Interval, signal?: AbortSignal) =>
  read<HealthSeries>('/api/v1/health/series', { name: names.join(','), ...interval }, signal);

export const getIncidents = (
  q: { state?: string; severity?: string; text?: string; limit?: number; cursor?: string },
  signal?: AbortSignal,
) => read<IncidentPage>('/api/v1/incidents', kept(q), signal);
const incident = (id: string) => `/api/v1/incidents/${encodeURIComponent(id)}`;
export const getIncident = (id: string, signal?: AbortSignal) => read<Incident>(incident(id), {}, signal);
export const createIncident = async (draft: {
  title: string;
  description: string;
  severity: Severity;
  assignee: string;
  alert?: string;
}) => (await client.http.post<Incident>('/api/v1/incidents', draft)).data;
export const changeIncident = async (
  id: string,
  change: {
    version: number;
    title?: string;
    description?: string;
    severity?: Severity;
    state?: IncidentState;
    assignee?: string;
    comment?: string;
  },
) => (await client.http.patch<Incident>(incident(id), change)).data;
export const deleteIncident = (id: string) => client.http.delete(incident(id));
export const commentIncident = async (id: string, text: string) =>
  (await client.http.post<Incident>(`${incident(id)}/comments`, { text })).data;
export const linkIncident = async (
  id: string,
  link: { kind: string; target: string; note?: string; since?: string; until?: string },
) => (await client.http.post<Incident>(`${incident(id)}/links`, link)).data;
export const unlinkIncident = async (id: string, link: number) =>
  (await client.http.delete<Incident>(`${incident(id)}/links/${link}`)).data;
// A slow line may take minutes for a capture.
export const addEvidence = async (id: string, file: File, description: string) =>
  (
    await client.http.post<Incident>(`${incident(id)}/evidence`, file, {
      params: { name: file.name, description },
      headers: { 'Content-Type': 'application/octet-stream' },
      timeout: 0,
    })
  ).data;
export const keepFlows = async (id: string, flows: { since: string; until: string; where: string }) =>
  (await client.http.post<Incident>(`${incident(id)}/evidence/flows`, flows, { timeout: 0 })).data;
export const keepPackets = async (id: string, alert: string) =>
  (await client.http.post<Incident>(`${incident(id)}/evidence/packets`, { alert }, { timeout: 0 })).data;
export const removeEvidence = async (id: string, evidence: number) =>
  (await client.http.delete<Incident>(`${incident(id)}/evidence/${evidence}`)).data;

// The token is in a header, so a plain link cannot fetch a file.
async function save(path: string, name: string): Promise<void> {
  const { data } = await client.http.get<Blob>(path, { responseType: 'blob', timeout: 0 });
  const url = URL.createObjectURL(data);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
export const saveEvidence = (id: string, evidence: IncidentEvidence) =>
  save(`${incident(id)}/evidence/${evidence.id}`, evidence.name);
export const exportIncident = (id: string) => save(`${incident(id)}/export`, `${id}.tar`);

export const getSchedule = async (signal?: AbortSignal) =>
  (await read<{ jobs: ScheduledJob[] }>('/api/v1/schedule', {}, signal)).jobs;
export const actOnJob = async (name: string, act: 'pause' | 'resume' | 'run') =>
  (await client.http.post<ScheduledJob>(`/api/v1/schedule/${encodeURIComponent(name)}/${act}`)).data;
export const setJobTiming = (name: string, timing: JobTiming) =>
  client.http.put(`/api/v1/schedule/${encodeURIComponent(name)}/timing`, timing);
export const getRetention = (signal?: AbortSignal) =>
  read<Retention>('/api/v1/settings/retention', {}, signal);
export const previewRetention = (settings: RetentionSettings, signal?: AbortSignal) =>
  read<RetentionPreview>('/api/v1/settings/retention/preview', kept({ ...settings }), signal);
export const putRetention = async (settings: RetentionSettings) =>
  (await client.http.put<Retention>('/api/v1/settings/retention', settings)).data;
export const getDailySummaries = async (signal?: AbortSignal) =>
  (await read<{ daily_summaries: DailySummary[] }>('/api/v1/daily_summaries', {}, signal)).daily_summaries;
