// Pairs of addresses, and all that is known of one.
import { alertsBetween } from './alerts.mjs';
import { nameOf } from './applications.mjs';
import { ApiError } from './http.mjs';
import {
  choice,
  interval,
  kDimensions,
  kMeasures,
  predicate,
  sum,
  tally,
  whole,
  withGuesses,
} from './queries.mjs';
import { rfc3339 } from './traffic.mjs';

function pairs(list, by, limit) {
  const rows = new Map();
  for (const f of list) {
    const { source_address: source, destination_address: destination } = f.flow;
    const key = `${source} ${destination}`;
    const row = rows.get(key) ?? {
      source,
      destination,
      source_name: nameOf(source),
      destination_name: nameOf(destination),
      bytes: 0,
      packets: 0,
      flows: 0,
      forward_bytes: 0,
      reverse_bytes: 0,
    };
    row.bytes += f.bytes;
    row.packets += f.packets;
    row.flows += 1;
    row.forward_bytes += f.flow.forward_wire_bytes;
    row.reverse_bytes += f.flow.reverse_wire_bytes;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b[by] - a[by]).slice(0, limit);
}

export function conversations(traffic, q) {
  const { since, until } = interval(q);
  const by = choice(q, 'by', kMeasures);
  const matches = predicate(q);
  const list = traffic.flows(since, until).filter((f) => matches(f.flow));
  return {
    since: rfc3339(since),
    until: rfc3339(until),
    by,
    source: 'raw',
    total: sum(list),
    rows: pairs(list, by, whole(q, 'limit', 25, 100)),
  };
}

export function host(traffic, q, address) {
  if (!/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*)$/i.test(address))
    throw new ApiError(400, `"${address}" is not an IP address`);
  const { since, until } = interval(q);
  const matches = predicate(q);
  const list = traffic
    .flows(since, until)
    .filter((f) => [f.flow.source_address, f.flow.destination_address].includes(address) && matches(f.flow));
  const side = (f, name) => f.flow[`${name}_address`] === address;
  const name = nameOf(address);
  const all = sum(list);
  const sent = list.reduce(
    (s, { flow: f }) => s + (f.source_address === address ? f.forward_wire_bytes : f.reverse_wire_bytes),
    0,
  );
  const plain = ({ key, bytes, packets, flows, guessed }) => ({ key, bytes, packets, flows, guessed });
  const ten = (rows, dimension) => tally(rows, kDimensions[dimension], 'bytes', 10).map(plain);
  return {
    address,
    since: rfc3339(since),
    until: rfc3339(until),
    source: 'raw',
    names_complete: true,
    names: name
      ? [
          {
            name,
            origin: 'known_as',
            first_seen: list[0]?.flow.first_seen ?? rfc3339(since),
            last_seen: list.at(-1)?.flow.last_seen ?? rfc3339(until),
          },
        ]
      : [],
    first_seen: list[0]?.flow.first_seen ?? null,
    last_seen: list.at(-1)?.flow.last_seen ?? null,
    total: all,
    sent_bytes: sent,
    received_bytes: all.bytes - sent,
    peers: pairs(list, 'bytes', 12),
    ports: ten(
      list.filter((f) => side(f, 'source')),
      'destination_port',
    ),
    served_ports: ten(
      list.filter((f) => side(f, 'destination')),
      'destination_port',
    ),
    applications: withGuesses(ten(list, 'application'), list, 'application').filter(
      (row) => row.key !== 'unknown',
    ),
    flows: list
      .slice(-20)
      .reverse()
      .map((f) => f.flow),
    alerts: alertsBetween(traffic, since, until)
      .filter((a) => a.entity.source === address || a.entity.destination === address)
      .slice(0, 20),
  };
}
