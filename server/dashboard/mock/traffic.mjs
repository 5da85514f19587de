// Synthetic traffic as a pure function of time and a seed: the same minute always holds the same flows, so that a test
// can ask twice. Addresses are from the documentation ranges (RFC 5737, RFC 3849) and from RFC 1918.

import { describe } from './applications.mjs';

export function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const kClients = Array.from({ length: 24 }, (_, i) => `10.0.0.${10 + i * 3}`);
const kServers = [
  ...Array.from({ length: 9 }, (_, i) => `198.51.100.${4 + i * 11}`),
  ...Array.from({ length: 6 }, (_, i) => `203.0.113.${9 + i * 17}`),
  '2001:db8:17::80',
  '2001:db8:2::443',
];
const kResolver = '10.0.0.1';
const kServices = [
  // [weight, protocol, port, mean bytes, mean seconds]
  [34, 6, 443, 900_000, 14],
  [16, 6, 80, 260_000, 6],
  [26, 17, 53, 260, 0.03],
  [9, 17, 443, 1_400_000, 22],
  [4, 6, 22, 42_000, 180],
  [3, 6, 5432, 120_000, 40],
  [4, 17, 123, 180, 0.05],
  [3, 1, 0, 980, 4],
  [1, 58, 0, 700, 3],
];
const kWeight = kServices.reduce((sum, [w]) => sum + w, 0);
const protocolKey = (p) => ({ 1: 'icmp', 6: 'tcp', 17: 'udp' })[p] ?? 'other';

const rfc3339 = (ms) => new Date(Math.floor(ms)).toISOString().replace('Z', '') + '000000Z';
export { rfc3339, protocolKey };

export class Traffic {
  constructor({ seed = 7, startedAt, historyMs = 26 * 3600e3 }) {
    this.seed = seed;
    this.begin = Math.floor((startedAt - historyMs) / 60e3) * 60e3;
    // The capture stood still for a while: that is a gap, not zero.
    this.gap = [startedAt - 3 * 3600e3, startedAt - 3 * 3600e3 + 25 * 60e3].map(
      (t) => Math.floor(t / 60e3) * 60e3,
    );
    this.minutes = new Map();
  }

  running(ms) {
    return ms >= this.begin && !(ms >= this.gap[0] && ms < this.gap[1]);
  }

  level(ms) {
    const hour = (ms / 3600e3) % 24;
    return 0.55 + 0.45 * Math.sin(((hour - 8) / 24) * 2 * Math.PI) ** 2 + 0.15 * Math.sin(ms / 700e3);
  }

  minute(start) {
    const known = this.minutes.get(start);
    if (known) return known;
    const flows = this.running(start) ? this.makeMinute(start) : [];
    this.minutes.set(start, flows);
    return flows;
  }

  makeMinute(start) {
    const number = start / 60e3;
    const random = mulberry32((number ^ (this.seed * 2654435761)) >>> 0);
    const pick = (list) => list[Math.floor(random() ** 1.7 * list.length)];
    const count = Math.round((10 + 14 * random()) * this.level(start));
    const flows = [];
    for (let i = 0; i < count; i += 1) flows.push(this.makeFlow(start, number * 256 + i, random, pick));
    // Every 47 minutes somebody tries many ports.
    if (number % 47 === 11) {
      for (let port = 1; port <= 60; port += 1)
        flows.push(this.makeProbe(start, number * 256 + 100 + port, port, random));
    }
    return flows.sort((a, b) => a.lastMs - b.lastMs);
  }

  makeFlow(start, id, random, pick) {
    let ticket = random() * kWeight;
    const [, protocol, port, meanBytes, meanSeconds] =
      kServices.find(([w]) => (ticket -= w) < 0) ?? kServices[0];
    const bytes = Math.max(
      70,
      Math.round(meanBytes * this.level(start) * (-Math.log(1 - random() * 0.995)) ** 1.4 * 2.2),
    );
    const lastMs = start + random() * 60e3;
    const firstMs = lastMs - meanSeconds * 1000 * -Math.log(1 - random() * 0.99);
    const v6 = protocol === 58;
    const reverse = Math.round(bytes * (protocol === 1 ? 0.5 : 0.9));
    return this.record({
      id,
      firstMs,
      lastMs,
      protocol,
      source: v6 ? '2001:db8:17::a1' : pick(kClients),
      destination: v6 ? '2001:db8:17::80' : port === 53 ? kResolver : pick(kServers),
      sport: port ? 32768 + Math.floor(random() * 28000) : 0,
      dport: port,
      forward: bytes - reverse,
      reverse,
      flags: protocol === 6 ? [27, 27] : [0, 0],
      vlan: random() < 0.1 ? 20 : null,
      reason: protocol === 6 ? (random() < 0.8 ? 'end_of_flow' : 'idle_timeout') : 'idle_timeout',
    });
  }

  makeProbe(start, id, port, random) {
    const lastMs = start + 5000 + port * 400;
    return this.record({
      id,
      firstMs: lastMs - 1,
      lastMs,
      protocol: 6,
      source: '192.0.2.66',
      destination: '10.0.0.13',
      sport: 40000 + Math.floor(random() * 20000),
      dport: port * 7,
      forward: 60,
      reverse: 54,
      flags: [2, 20],
      vlan: null,
      reason: 'end_of_flow',
    });
  }

  record(f) {
    const packets = (bytes) => Math.max(1, Math.round(bytes / 780));
    const forward = packets(f.forward);
    const reverse = packets(f.reverse);
    return {
      lastMs: f.lastMs,
      firstMs: f.firstMs,
      bytes: f.forward + f.reverse,
      packets: forward + reverse,
      key: protocolKey(f.protocol),
      flow: {
        id: f.id,
        first_seen: rfc3339(f.firstMs),
        last_seen: rfc3339(f.lastMs),
        protocol: f.protocol,
        source_address: f.source,
        source_port: f.sport,
        destination_address: f.destination,
        destination_port: f.dport,
        vlan: f.vlan,
        forward_packets: forward,
        forward_wire_bytes: f.forward,
        forward_ip_bytes: Math.max(0, f.forward - 14 * forward),
        forward_payload_bytes: Math.max(0, f.forward - 54 * forward),
        reverse_packets: reverse,
        reverse_wire_bytes: f.reverse,
        reverse_ip_bytes: Math.max(0, f.reverse - 14 * reverse),
        reverse_payload_bytes: Math.max(0, f.reverse - 54 * reverse),
        forward_tcp_flags: f.flags[0],
        reverse_tcp_flags: f.flags[1],
        end_reason: f.reason,
        ...describe(f, forward, reverse, mulberry32(f.id)),
      },
    };
  }

  // Flows that ended in [since, until), oldest first.
  flows(since, until) {
    const found = [];
    for (let m = Math.floor(Math.max(since, this.begin) / 60e3) * 60e3; m < until; m += 60e3) {
      for (const f of this.minute(m)) if (f.lastMs >= since && f.lastMs < until) found.push(f);
    }
    return found;
  }

  sample(second) {
    const start = Math.floor(second / 1000) * 1000;
    const minute = Math.floor(start / 60e3) * 60e3;
    const random = mulberry32((start / 1000) ^ this.seed);
    const protocols = {
      tcp: { packets: 0, wire_bytes: 0 },
      udp: { packets: 0, wire_bytes: 0 },
      icmp: { packets: 0, wire_bytes: 0 },
      other: { packets: 0, wire_bytes: 0 },
    };
    // The minute's bytes spread over its seconds, smoothed over three minutes, with a little noise.
    for (const offset of [-60e3, 0, 60e3]) {
      for (const f of this.minute(minute + offset)) protocols[f.key].wire_bytes += f.bytes / 180;
    }
    let packets = 0;
    let bytes = 0;
    for (const value of Object.values(protocols)) {
      value.wire_bytes = Math.round(
        value.wire_bytes * (0.7 + 0.6 * random() + 0.12 * Math.sin(start / 9000)),
      );
      value.packets = Math.ceil(value.wire_bytes / 780);
      packets += value.packets;
      bytes += value.wire_bytes;
    }
    return {
      time: rfc3339(start),
      seconds: 1,
      packets,
      wire_bytes: bytes,
      dropped: 0,
      flows_active: 40 + Math.floor(random() * 30),
      flows_started: Math.floor(random() * 4),
      flows_ended: Math.floor(random() * 4),
      protocols,
    };
  }
}
