import { save } from '../lib/csv';
import { client } from './client';
import type {
  Alert,
  AlertPage,
  AuditPage,
  AuditReport,
  ApplicationEntry,
  Capture,
  Conversations,
  Dimension,
  FlowOrder,
  FlowPage,
  Host,
  LogKind,
  LogPage,
  LogRotation,
  Measure,
  Role,
  Series,
  SeriesBy,
  Summary,
  Top,
  User,
  UserRow,
} from './types';

export interface Interval {
  since: string;
  until: string;
}

type Params = Record<string, string | number | undefined>;

// The contract shows minutes and hours; days are ours, for shorter links.
function inHours(value: string | number | undefined): string | number | undefined {
  const days = typeof value === 'string' ? /^-(\d+)d$/.exec(value) : null;
  return days ? `-${Number(days[1]) * 24}h` : value;
}

// Empty parameters are left out: the server's defaults apply.
async function get<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  const kept = Object.fromEntries(
    Object.entries(params)
      .filter(([, v]) => v !== undefined && v !== '')
      .map(([name, v]) => [name, inHours(v)]),
  );
  return (await client.http.get<T>(path, { params: kept, signal })).data;
}

export const getSummary = (i: Interval, signal?: AbortSignal) =>
  get<Summary>('/api/v1/summary', { ...i }, signal);

export const getFlows = (
  q: Interval & { where?: string; limit?: number; cursor?: string; order?: FlowOrder },
  signal?: AbortSignal,
) => get<FlowPage>('/api/v1/flows', { ...q }, signal);

export const getSeries = (
  q: Interval & {
    step?: number;
    by?: SeriesBy;
    address?: string;
    where?: string;
    measure?: Measure;
  },
  signal?: AbortSignal,
) => get<Series>('/api/v1/series', { ...q }, signal);

export const getTop = (
  q: Interval & { dimension: Dimension; by?: Measure; limit?: number; where?: string },
  signal?: AbortSignal,
) => get<Top>('/api/v1/top', { ...q }, signal);

export const getConversations = (
  q: Interval & { by?: Measure; limit?: number; where?: string },
  signal?: AbortSignal,
) => get<Conversations>('/api/v1/conversations', { ...q }, signal);

export const getHost = (address: string, q: Interval & { where?: string }, signal?: AbortSignal) =>
  get<Host>(`/api/v1/hosts/${encodeURIComponent(address)}`, { ...q }, signal);

export const getApplications = async (signal?: AbortSignal) =>
  (await get<{ applications: ApplicationEntry[] }>('/api/v1/applications', {}, signal)).applications;

export const getAlerts = (
  q: Interval & { class?: string; severity?: string; limit?: number; cursor?: string },
  signal?: AbortSignal,
) => get<AlertPage>('/api/v1/alerts', { ...q }, signal);

export const getCapture = (signal?: AbortSignal) => get<Capture>('/api/v1/capture', {}, signal);
export const getMe = (signal?: AbortSignal) => get<User>('/api/v1/me', {}, signal);

export const changeOwnPassword = (current_password: string, new_password: string) =>
  client.http.post('/api/v1/me/password', { current_password, new_password });

export const getUsers = async (signal?: AbortSignal) =>
  (await get<{ users: UserRow[] }>('/api/v1/users', {}, signal)).users;
export const createUser = (username: string, password: string, role: Role) =>
  client.http.post('/api/v1/users', { username, password, role });
export const changeUser = (username: string, change: { role?: Role; password?: string }) =>
  client.http.patch(`/api/v1/users/${encodeURIComponent(username)}`, change);
export const deleteUser = (username: string) =>
  client.http.delete(`/api/v1/users/${encodeURIComponent(username)}`);

export const getLogs = (
  q: { kind: LogKind; level?: string; component?: string; text?: string; cursor?: string },
  signal?: AbortSignal,
) => get<LogPage>('/api/v1/logs', { ...q }, signal);
export const getLogRotation = (signal?: AbortSignal) => get<LogRotation>('/api/v1/logs/rotation', {}, signal);
export const setLogRotation = (rotation: LogRotation) => client.http.put('/api/v1/logs/rotation', rotation);
export const rotateLogs = () => client.http.post('/api/v1/logs/rotate');

async function saveFile(path: string, params: Params, name: string): Promise<void> {
  const kept = Object.fromEntries(Object.entries(params).filter(([, v]) => v !== undefined && v !== ''));
  const { data } = await client.http.get<Blob>(path, {
    params: kept,
    responseType: 'blob',
    timeout: 300_000,
  });
  save(name, data);
}
export const downloadLog = (kind: LogKind) => saveFile('/api/v1/logs/download', { kind }, `${kind}.log`);

export const getAudit = (q: { act?: string; outcome?: string; cursor?: string }, signal?: AbortSignal) =>
  get<AuditPage>('/api/v1/logs/audit', { ...q }, signal);
export const verifyAudit = async () =>
  (await client.http.post<AuditReport>('/api/v1/logs/audit/verify', undefined, { timeout: 300_000 })).data;
export const exportAudit = (q: { act?: string; outcome?: string }, format: 'csv' | 'jsonl') =>
  saveFile('/api/v1/logs/audit/export', { ...q, format }, `audit.${format}`);

export const getStreamTicket = async () =>
  (await client.http.post<{ ticket: string; expires_in: number }>('/api/v1/stream/ticket')).data.ticket;

const kStateRank = { open: 0, updated: 1, closed: 2 };
function isLater(a: Alert, b: Alert): boolean {
  if (a.time !== b.time) return a.time > b.time;
  if (a.count !== b.count) return a.count > b.count;
  return kStateRank[a.state] > kStateRank[b.state];
}

// The detectors report one alert several times as it develops; the newest report of each is the alert.
export function latestPerAlert(alerts: Alert[]): Alert[] {
  const newest = new Map<string, Alert>();
  for (const alert of alerts) {
    const known = newest.get(String(alert.id));
    if (!known || isLater(alert, known)) newest.set(String(alert.id), alert);
  }
  return [...newest.values()].sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
}
