import { save } from '../lib/csv';
import { client } from './client';
import type { Job } from './jobs';
import type {
  AddressNames,
  Alert,
  AlertPage,
  AuditPage,
  AuditReport,
  AlertRule,
  ApplicationEntry,
  Backup,
  Capture,
  Channel,
  Conversations,
  BacktestSubject,
  DetectorChange,
  DetectorRow,
  Dimension,
  FlowOrder,
  FlowPage,
  Host,
  LogKind,
  LogPage,
  LogRotation,
  Measure,
  PrunePolicy,
  NotificationRoute,
  Role,
  RuleCheck,
  Series,
  SeriesBy,
  ServerNotice,
  Summary,
  Suppression,
  Threat,
  Top,
  User,
  UserNotifications,
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

export const getNames = (
  q: { since: string; until: string; address: string; limit?: number },
  signal?: AbortSignal,
) => get<AddressNames>('/api/v1/names', { ...q }, signal);

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
  q: Interval & {
    class?: string;
    severity?: string;
    suppressed?: 'no' | 'yes' | 'all';
    acknowledged?: 'no' | 'yes' | 'all';
    limit?: number;
    cursor?: string;
  },
  signal?: AbortSignal,
) => get<AlertPage>('/api/v1/alerts', { ...q }, signal);

export const getAlert = (id: string, signal?: AbortSignal) =>
  get<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}`, {}, signal);

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
  q: {
    kind: LogKind;
    level?: string;
    component?: string;
    text?: string;
    since?: string;
    until?: string;
    cursor?: string;
  },
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
export const downloadPackets = (alert: string | number) =>
  saveFile(`/api/v1/alerts/${encodeURIComponent(String(alert))}/packets`, {}, `${alert}.pcapng`);
export const downloadLog = (kind: LogKind) => saveFile('/api/v1/logs/download', { kind }, `${kind}.log`);

interface AuditFilter {
  act?: string;
  outcome?: string;
  actor?: string;
  text?: string;
  since?: string;
  until?: string;
}
export const getAudit = (q: AuditFilter & { cursor?: string }, signal?: AbortSignal) =>
  get<AuditPage>('/api/v1/logs/audit', { ...q }, signal);
export const verifyAudit = async () =>
  (await client.http.post<AuditReport>('/api/v1/logs/audit/verify', undefined, { timeout: 300_000 })).data;
export const exportAudit = (q: AuditFilter, format: 'csv' | 'jsonl') =>
  saveFile('/api/v1/logs/audit/export', { ...q, format }, `audit.${format}`);

const alertPath = (id: string | number) => `/api/v1/alerts/${encodeURIComponent(String(id))}`;
export const acknowledgeAlert = async (id: string | number, note = '') =>
  (await client.http.post<Alert>(`${alertPath(id)}/acknowledge`, note ? { note } : {})).data;
export const unacknowledgeAlert = async (id: string | number) =>
  (await client.http.delete<Alert>(`${alertPath(id)}/acknowledge`)).data;
export const noteOnAlert = async (id: string | number, text: string) =>
  (await client.http.post<Alert>(`${alertPath(id)}/notes`, { text })).data;
export const suppressAlert = async (
  id: string | number,
  body: { scope: string; reason: string; until?: string },
) => (await client.http.post<Suppression>(`${alertPath(id)}/suppress`, body)).data;
export const getThreats = async (i: Interval, signal?: AbortSignal) =>
  (await get<{ threats: Threat[] }>('/api/v1/threats', { ...i }, signal)).threats;

const rulePath = (id: string) => `/api/v1/alert-rules/${encodeURIComponent(id)}`;
export type RuleBody = Pick<AlertRule, 'title' | 'expression' | 'severity' | 'enabled'> &
  Partial<Pick<AlertRule, 'close_below' | 'hold_seconds'>>;
export const getRules = async (signal?: AbortSignal) =>
  (await get<{ rules: AlertRule[] }>('/api/v1/alert-rules', {}, signal)).rules;
export const createRule = (rule: RuleBody) => client.http.post('/api/v1/alert-rules', rule);
export const changeRule = (id: string, rule: RuleBody) => client.http.put(rulePath(id), rule);
export const deleteRule = (id: string) => client.http.delete(rulePath(id));
export const checkRule = async (expression: string, signal?: AbortSignal) =>
  (await client.http.post<RuleCheck>('/api/v1/alert-rules/validate', { expression }, { signal })).data;

export const getSuppressions = async (signal?: AbortSignal) =>
  (await get<{ suppressions: Suppression[] }>('/api/v1/suppressions', {}, signal)).suppressions;
export const createSuppression = (body: Partial<Suppression> & { reason: string }) =>
  client.http.post('/api/v1/suppressions', body);
export const changeSuppression = (id: string, body: Partial<Suppression> & { reason: string }) =>
  client.http.put(`/api/v1/suppressions/${encodeURIComponent(id)}`, body);
export const deleteSuppression = (id: string) =>
  client.http.delete(`/api/v1/suppressions/${encodeURIComponent(id)}`);

export const getDetectors = async (signal?: AbortSignal) =>
  (await get<{ detectors: DetectorRow[] }>('/api/v1/detectors', {}, signal)).detectors;
export const changeDetector = (name: string, change: DetectorChange) =>
  client.http.put(`/api/v1/detectors/${encodeURIComponent(name)}`, change);

export interface BacktestWish {
  subject: BacktestSubject;
  against?: BacktestSubject;
  since?: string;
  until?: string;
  wanted_per_day?: number;
}
export const startBacktest = async (body: BacktestWish) =>
  (await client.http.post<Job>('/api/v1/backtest', body)).data.id;
export const startCaptureBacktest = async (
  capture: File,
  { subject, against, wanted_per_day }: BacktestWish,
) =>
  (
    await client.http.post<Job>('/api/v1/backtest/capture', capture, {
      headers: { 'Content-Type': 'application/octet-stream' },
      params: {
        subject: JSON.stringify(subject),
        against: against && JSON.stringify(against),
        wanted_per_day,
      },
    })
  ).data.id;

export const getNotifications = (signal?: AbortSignal) =>
  get<UserNotifications>('/api/v1/notifications', {}, signal);
export const markNotificationsRead = (id = '') =>
  client.http.post('/api/v1/notifications/read', id ? { id } : {});
export const clearNotifications = () => client.http.delete('/api/v1/notifications');

const channelPath = (id: string) => `/api/v1/notification-channels/${encodeURIComponent(id)}`;
export type ChannelBody = Pick<Channel, 'name' | 'kind' | 'enabled' | 'settings'>;
export const getChannels = async (signal?: AbortSignal) =>
  (await get<{ channels: Channel[] }>('/api/v1/notification-channels', {}, signal)).channels;
export const createChannel = (body: ChannelBody) => client.http.post('/api/v1/notification-channels', body);
export const changeChannel = (id: string, body: ChannelBody) => client.http.put(channelPath(id), body);
export const deleteChannel = (id: string) => client.http.delete(channelPath(id));
export const testChannel = async (id: string) =>
  (await client.http.post<{ delivered: boolean; message: string }>(`${channelPath(id)}/test`)).data;
export const getNotificationRoutes = async (signal?: AbortSignal) =>
  (await get<{ routes: NotificationRoute[] }>('/api/v1/notification-routes', {}, signal)).routes;
export const putNotificationRoutes = (routes: NotificationRoute[]) =>
  client.http.put('/api/v1/notification-routes', { routes });

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

const backupPath = (name: string) => `/api/v1/backups/${encodeURIComponent(name)}`;
const withPassphrase = (passphrase: string) => (passphrase ? { passphrase } : {});

export const getBackups = async (signal?: AbortSignal) =>
  (await get<{ backups: Backup[] }>('/api/v1/backups', {}, signal)).backups;
export const createBackup = async (passphrase: string) =>
  (await client.http.post<Job>('/api/v1/backups', withPassphrase(passphrase))).data;
export const verifyBackup = async (name: string, passphrase: string) =>
  (await client.http.post<Job>(`${backupPath(name)}/verify`, withPassphrase(passphrase))).data;
export const restoreBackup = async (name: string, passphrase: string) =>
  (await client.http.post<Job>(`${backupPath(name)}/restore`, withPassphrase(passphrase))).data;
export const deleteBackup = (name: string) => client.http.delete(backupPath(name));
// Whatever its size takes its time.
export const downloadBackup = async (name: string) =>
  (await client.http.get<Blob>(`${backupPath(name)}/file`, { responseType: 'blob', timeout: 0 })).data;
export const uploadBackup = async (file: File) =>
  (
    await client.http.post<Backup>('/api/v1/backups/upload', file, {
      headers: { 'Content-Type': 'application/octet-stream' },
      timeout: 0,
    })
  ).data;
export const getPrunePolicy = (signal?: AbortSignal) => get<PrunePolicy>('/api/v1/backup_policy', {}, signal);
export const setPrunePolicy = (policy: PrunePolicy) => client.http.put('/api/v1/backup_policy', policy);
export const pruneBackups = async (policy: PrunePolicy, dry_run: boolean) =>
  (
    await client.http.post<{ removed: Backup[]; kept: Backup[] }>('/api/v1/backups/prune', {
      ...policy,
      dry_run,
    })
  ).data;

export const getServerNotices = async (signal?: AbortSignal) =>
  (await get<{ notices: ServerNotice[] }>('/api/v1/notices', {}, signal)).notices;
export const dismissServerNotice = (id: string) =>
  client.http.delete(`/api/v1/notices/${encodeURIComponent(id)}`);
