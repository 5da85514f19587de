// The reading half of docs/rest_api.md over synthetic traffic.
import { alertsBetween } from './alerts.mjs';
import { compileFilter } from './filter.mjs';
import { ApiError } from './http.mjs';
import { rfc3339 } from './traffic.mjs';

export const kMeasures = ['bytes', 'packets', 'flows'];
const kSeverities = ['info', 'low', 'medium', 'high', 'critical'];
const kUnits = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

function instant(text, name, fallback) {
  if (text === null) return fallback;
  if (text === 'now') return Date.now();
  const relative = /^-(\d+)([smhd])$/.exec(text);
  const ms = relative ? Date.now() - Number(relative[1]) * kUnits[relative[2]] : Date.parse(text);
  if (Number.isNaN(ms))
    throw new ApiError(400, `${name}: "${text}" is neither RFC 3339 nor relative like -15m`);
  return ms;
}

export function interval(q) {
  const since = instant(q.get('since'), 'since', Date.now() - 3600e3);
  const until = Math.min(instant(q.get('until'), 'until', Date.now()), Date.now());
  return { since, until };
}

export function choice(q, name, allowed) {
  const value = q.get(name) ?? allowed[0];
  if (!allowed.includes(value)) throw new ApiError(400, `${name}: one of ${allowed.join(', ')}`);
  return value;
}

export function whole(q, name, fallback, max) {
  const value = Number(q.get(name) ?? fallback);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new ApiError(400, `${name}: 1 to ${max}`);
  return value;
}

export function predicate(q) {
  try {
    return compileFilter(q.get('where') ?? '');
  } catch (error) {
    throw new ApiError(400, `where: ${error.message}`, { position: error.position });
  }
}

export function flows(traffic, q) {
  const { since, until } = interval(q);
  const matches = predicate(q);
  const limit = whole(q, 'limit', 100, 1000);
  const order = choice(q, 'order', ['-last_seen', 'last_seen', '-bytes', '-packets']);
  const found = traffic.flows(since, until).filter((f) => matches(f.flow));
  const key = {
    '-last_seen': (f) => -f.lastMs,
    last_seen: (f) => f.lastMs,
    '-bytes': (f) => -f.bytes,
    '-packets': (f) => -f.packets,
  }[order];
  found.sort((a, b) => key(a) - key(b) || a.flow.id - b.flow.id);
  const after = q.get('cursor');
  const start = after === null ? 0 : found.findIndex((f) => String(f.flow.id) === after) + 1;
  const page = found.slice(start, start + limit);
  const more = start + limit < found.length;
  return { flows: page.map((f) => f.flow), next_cursor: more ? String(page[page.length - 1].flow.id) : null };
}

export function series(traffic, q) {
  const { since, until } = interval(q);
  const matches = predicate(q);
  const by = choice(q, 'by', ['protocol', 'application', 'category', 'none']);
  const measure = choice(q, 'measure', kMeasures);
  const address = q.get('address');
  const chosen = Math.max(60, Math.ceil((until - since) / 1000 / 240 / 60) * 60);
  const step = whole(q, 'step', chosen, 86400);
  if (step % 60 !== 0) throw new ApiError(400, 'step: a multiple of 60');
  const first = Math.floor(since / 1000 / step) * step * 1000;
  const times = [];
  for (let t = first; t < until; t += step * 1000) times.push(t);
  const columns = new Map();
  const guesses = new Map();
  const column = (key) => {
    if (!columns.has(key))
      columns.set(
        key,
        times.map((t) => (traffic.running(t) ? 0 : null)),
      );
    return columns.get(key);
  };
  const kFixed = { protocol: ['tcp', 'udp', 'icmp'], none: ['total'] };
  for (const key of kFixed[by] ?? []) column(key);
  for (const f of traffic.flows(first, until)) {
    if (address && f.flow.source_address !== address && f.flow.destination_address !== address) continue;
    if (!matches(f.flow)) continue;
    const i = Math.floor((f.lastMs - first) / 1000 / step);
    const c = column(by === 'none' ? 'total' : by === 'protocol' ? f.key : (f.flow[by] ?? 'unknown'));
    const value = measure === 'flows' ? 1 : f[measure];
    c[i] = (c[i] ?? 0) + value;
    if (f.flow.evidence !== 'port' || (by !== 'application' && by !== 'category')) continue;
    const key = f.flow[by] ?? 'unknown';
    if (!guesses.has(key)) guesses.set(key, new Array(times.length).fill(0));
    guesses.get(key)[i] += value;
  }
  return {
    since: rfc3339(since),
    until: rfc3339(until),
    step_seconds: step,
    measure,
    source: 'rollup',
    times: times.map(rfc3339),
    series: [...columns].map(([key, values]) => ({
      key,
      values,
      ...(guesses.has(key) ? { guessed: guesses.get(key) } : {}),
    })),
  };
}

export function tally(list, keysOf, by, limit) {
  const rows = new Map();
  for (const f of list) {
    for (const [key, sent, received] of keysOf(f)) {
      const row = rows.get(key) ?? { key, bytes: 0, packets: 0, flows: 0, sent_bytes: 0, received_bytes: 0 };
      row.bytes += f.bytes;
      row.packets += f.packets;
      row.flows += 1;
      row.sent_bytes += sent;
      row.received_bytes += received;
      rows.set(key, row);
    }
  }
  return [...rows.values()].sort((a, b) => b[by] - a[by] || (a.key < b.key ? -1 : 1)).slice(0, limit);
}

export const kDimensions = {
  address: ({ flow: f }) => [
    [f.source_address, f.forward_wire_bytes, f.reverse_wire_bytes],
    [f.destination_address, f.reverse_wire_bytes, f.forward_wire_bytes],
  ],
  source_address: ({ flow: f }) => [[f.source_address, f.forward_wire_bytes, f.reverse_wire_bytes]],
  destination_address: ({ flow: f }) => [[f.destination_address, f.reverse_wire_bytes, f.forward_wire_bytes]],
  protocol: (f) => [[f.key, 0, 0]],
  source_port: ({ flow: f }) => [[String(f.source_port), 0, 0]],
  destination_port: ({ flow: f }) => [[String(f.destination_port), 0, 0]],
  application: ({ flow: f }) => [[f.application ?? 'unknown', 0, 0]],
  category: ({ flow: f }) => [[f.category ?? 'unknown', 0, 0]],
  server_name: ({ flow: f }) => [[f.server_name ?? 'unknown', 0, 0]],
  vlan: ({ flow: f }) => [[f.vlan === null || f.vlan === undefined ? 'unknown' : String(f.vlan), 0, 0]],
};

export const sum = (list) => ({
  bytes: list.reduce((s, f) => s + f.bytes, 0),
  packets: list.reduce((s, f) => s + f.packets, 0),
  flows: list.length,
});

// What of the rows a port only guesses.
export function withGuesses(rows, list, dimension) {
  return rows.map((row) => ({
    ...row,
    guessed: sum(
      list.filter((f) => f.flow.evidence === 'port' && (f.flow[dimension] ?? 'unknown') === row.key),
    ),
  }));
}

export function top(traffic, q) {
  const { since, until } = interval(q);
  const dimension = choice(q, 'dimension', Object.keys(kDimensions));
  const by = choice(q, 'by', kMeasures);
  const matches = predicate(q);
  const list = traffic.flows(since, until).filter((f) => matches(f.flow));
  // What has no application belongs to no row.
  const isKnown = (row) => row.key !== 'unknown';
  const limit = whole(q, 'limit', 10, 100);
  const all = tally(list, kDimensions[dimension], by, Infinity);
  const rows = all.filter(isKnown).slice(0, limit);
  const unknown = all.find((row) => !isKnown(row));
  if (!dimension.includes('address'))
    for (const row of rows) {
      delete row.sent_bytes;
      delete row.received_bytes;
    }
  return {
    since: rfc3339(since),
    until: rfc3339(until),
    dimension,
    by,
    source: 'raw',
    total: sum(list),
    ...(['application', 'category', 'server_name', 'vlan'].includes(dimension)
      ? { other: { bytes: unknown?.bytes ?? 0, packets: unknown?.packets ?? 0, flows: unknown?.flows ?? 0 } }
      : {}),
    rows: dimension === 'application' || dimension === 'category' ? withGuesses(rows, list, dimension) : rows,
  };
}

export function alerts(traffic, q, extra = []) {
  const { since, until } = interval(q);
  const cls = q.get('class');
  const severity = q.get('severity');
  const limit = whole(q, 'limit', 100, 1000);
  const own = extra.filter((a) => Date.parse(a.time) >= since && Date.parse(a.time) < until);
  const found = [...own, ...alertsBetween(traffic, since, until)].filter(
    (a) =>
      (!cls || a.class === cls) &&
      (!severity || kSeverities.indexOf(a.severity) >= kSeverities.indexOf(severity)),
  );
  const cursor = q.get('cursor');
  const start = cursor === null ? 0 : found.findIndex((a) => a.id === cursor) + 1;
  const page = found.slice(start, start + limit);
  return { alerts: page, next_cursor: start + limit < found.length ? page[page.length - 1].id : null };
}

export function capture(traffic) {
  const received = Math.floor((Date.now() - traffic.begin) / 1000) * 1800;
  return {
    source: 'eth0',
    kind: 'interface',
    state: 'running',
    message: '',
    ledger: { received, decoded: received - 340, malformed: 12, unsupported: 328, filtered: 0, dropped: 0 },
    flow_table: { active: 57, capacity: 1_000_000, started: 90_000, ended: 89_943, evicted: 0 },
    store: { flows_written: 89_943, flows_dropped: 0, queue: 3 },
    capture: { received, dropped_buffer: 0, dropped_interface: 0, outages: 1, outage_seconds: 1500 },
    decode_reasons: { unknown_ether_type: 301, unknown_llc: 27, truncated_transport: 8, bad_udp_length: 4 },
  };
}

export function summary(traffic, q) {
  const { since, until } = interval(q);
  const list = traffic.flows(since, until);
  const total = sum(list);
  const five = (dimension) =>
    tally(list, kDimensions[dimension], 'bytes', 5).map(({ key, bytes, packets, flows: n }) => ({
      key,
      bytes,
      packets,
      flows: n,
    }));
  return {
    since: rfc3339(since),
    until: rfc3339(until),
    ...total,
    mean_packet_bytes: total.packets ? total.bytes / total.packets : 0,
    alerts: alertsBetween(traffic, since, until).length,
    protocols: five('protocol'),
    top_sources: five('source_address'),
    top_destinations: five('destination_address'),
    top_destination_ports: five('destination_port'),
    capture: capture(traffic),
  };
}
