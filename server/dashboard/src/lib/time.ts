// Ranges are kept as the API takes them: "-15m" and "now", or RFC 3339. Instants are milliseconds since 1970.

export type Zone = 'local' | 'utc';
export interface Range {
  since: string;
  until: string;
}

export const kPresets: { since: string; label: string; short: string }[] = [
  { since: '-5m', label: 'Last 5 minutes', short: '5 min' },
  { since: '-15m', label: 'Last 15 minutes', short: '15 min' },
  { since: '-1h', label: 'Last hour', short: '1 h' },
  { since: '-6h', label: 'Last 6 hours', short: '6 h' },
  { since: '-24h', label: 'Last 24 hours', short: '24 h' },
  { since: '-7d', label: 'Last 7 days', short: '7 d' },
  { since: '-30d', label: 'Last 30 days', short: '30 d' },
];
export const kDefaultRange: Range = { since: '-15m', until: 'now' };

const kUnitMs: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 604800e3 };

export function parseRelative(text: string): number | null {
  if (text === 'now') return 0;
  const match = /^-(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  return match ? -Number(match[1]) * kUnitMs[match[2]!]! : null;
}

// RFC 3339 with up to nine digits of fraction. Engines differ beyond three: cut the rest and add it back.
export function parseTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  if (!match) return NaN;
  const fraction = match[2] ? Number(`0.${match[2]}`) * 1000 : 0;
  return Date.parse(`${match[1]}${match[3]!.toUpperCase()}`) + fraction;
}

export function resolve(text: string, now: number): number {
  const relative = parseRelative(text);
  return relative === null ? parseTime(text) : now + relative;
}

export function resolveRange(range: Range, now: number): [number, number] {
  return [resolve(range.since, now), resolve(range.until, now)];
}

export const isLive = (range: Range) => range.until === 'now' && parseRelative(range.since) !== null;

export function isValidRange(range: Range): boolean {
  const [since, until] = resolveRange(range, Date.now());
  return Number.isFinite(since) && Number.isFinite(until) && since < until;
}

export function absoluteRange(since: number, until: number): Range {
  return {
    since: new Date(Math.floor(since)).toISOString(),
    until: new Date(Math.ceil(until)).toISOString(),
  };
}

// Twice as wide around the same middle, never past now; a live range widens to the next preset.
export function zoomOut(range: Range, now: number): Range {
  if (isLive(range)) {
    const span = -(parseRelative(range.since) ?? 0);
    const wider = kPresets.find((preset) => -(parseRelative(preset.since) ?? 0) > span);
    return wider ? { since: wider.since, until: 'now' } : range;
  }
  const [since, until] = resolveRange(range, now);
  const span = until - since;
  const end = Math.min(now, until + span / 2);
  return absoluteRange(end - 2 * span, end);
}

// As wide, and right beside it: earlier or later, but never past now. Forward into the present is live again, where there
// is such a live range.
export function shiftRange(range: Range, direction: -1 | 1, now: number): Range {
  const [since, until] = resolveRange(range, now);
  const span = until - since;
  if (direction === -1) return absoluteRange(since - span, since);
  if (isLive(range)) return range;
  // Time has passed since the step back: nearly the present is the present.
  if (until + span < now - span / 10) return absoluteRange(until, until + span);
  const preset = kPresets.find(({ since: ago }) => Math.abs(-(parseRelative(ago) ?? 0) - span) < 2000);
  return preset ? { since: preset.since, until: 'now' } : absoluteRange(now - span, now);
}

const part = (value: number, width = 2) => String(value).padStart(width, '0');

export interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
}
export function parts(ms: number, zone: Zone): Parts {
  const date = new Date(ms);
  return zone === 'utc'
    ? {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
        ms: date.getUTCMilliseconds(),
      }
    : {
        year: date.getFullYear(),
        month: date.getMonth() + 1,
        day: date.getDate(),
        hour: date.getHours(),
        minute: date.getMinutes(),
        second: date.getSeconds(),
        ms: date.getMilliseconds(),
      };
}

export const formatDate = (ms: number, zone: Zone) => {
  const p = parts(ms, zone);
  return `${p.year}-${part(p.month)}-${part(p.day)}`;
};
export const formatClock = (ms: number, zone: Zone, seconds = true) => {
  const p = parts(ms, zone);
  return `${part(p.hour)}:${part(p.minute)}${seconds ? `:${part(p.second)}` : ''}`;
};
export function formatAbsolute(ms: number, zone: Zone): string {
  if (!Number.isFinite(ms)) return '–';
  return `${formatDate(ms, zone)} ${formatClock(ms, zone)}${zone === 'utc' ? ' UTC' : ''}`;
}
// Sentences of the server name instants as the API does.
export const withTimes = (text: string, zone: Zone) =>
  text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z/g, (time) =>
    formatAbsolute(parseTime(time), zone),
  );
export const formatPrecise = (ms: number, zone: Zone) =>
  `${formatDate(ms, zone)} ${formatClock(ms, zone)}.${part(parts(ms, zone).ms, 3)}${zone === 'utc' ? ' UTC' : ''}`;

export function formatRelative(ms: number, now: number): string {
  const seconds = (now - ms) / 1000;
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < -5) return 'ahead of now';
  if (seconds < 2) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

export const shortRange = (range: Range) =>
  kPresets.find((p) => p.since === range.since && range.until === 'now')?.short;

export function describeRange(range: Range, zone: Zone): string {
  const preset = kPresets.find((p) => p.since === range.since && range.until === 'now');
  if (preset) return preset.label;
  if (isLive(range)) return `Last ${range.since.slice(1)}`;
  const [since, until] = resolveRange(range, Date.now());
  const sameDay = formatDate(since, zone) === formatDate(until, zone);
  const end = sameDay
    ? formatClock(until, zone)
    : `${formatDate(until, zone)} ${formatClock(until, zone, false)}`;
  return `${formatDate(since, zone)} ${formatClock(since, zone, sameDay)} – ${end}`;
}

// For <input type="datetime-local">.
export const toInput = (ms: number, zone: Zone) => `${formatDate(ms, zone)}T${formatClock(ms, zone)}`;
export const fromInput = (text: string, zone: Zone) => Date.parse(zone === 'utc' ? `${text}Z` : text);

export function formatTick(ms: number, stepMs: number, zone: Zone): string {
  const p = parts(ms, zone);
  const midnight = p.hour === 0 && p.minute === 0 && p.second === 0;
  if (stepMs >= 86400e3 || (midnight && stepMs >= 3600e3)) return `${part(p.month)}-${part(p.day)}`;
  return formatClock(ms, zone, stepMs < 60e3);
}
