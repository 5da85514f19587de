import { rfc3339 } from './traffic.mjs';

const kKinds = [
  [
    'port_scan',
    'high',
    'T1046',
    60,
    3,
    'ports',
    '192.0.2.66',
    '10.0.0.13',
    null,
    '192.0.2.66 tried 60 ports of 10.0.0.13 in 24 s; 57 refused',
  ],
  [
    'dns_tunnel',
    'medium',
    'T1071.004',
    148,
    22,
    'bytes/query',
    '10.0.0.22',
    '10.0.0.1',
    'udp/53',
    '10.0.0.22 sends unusually long names to one domain',
  ],
  [
    'traffic_anomaly',
    'low',
    null,
    41.2e6,
    12.4e6,
    'bit/s',
    null,
    null,
    null,
    'Throughput three times the usual for this hour',
  ],
  [
    'beacon',
    'medium',
    'T1071',
    0.94,
    0.2,
    'regularity',
    '10.0.0.40',
    '203.0.113.43',
    'tcp/443',
    '10.0.0.40 calls 203.0.113.43 every 60 s with hardly any jitter',
  ],
  [
    'flash_crowd',
    'info',
    null,
    340,
    120,
    'clients',
    null,
    '198.51.100.4',
    'tcp/443',
    'Many clients at once reach 198.51.100.4; none behaves like an attack',
  ],
  [
    'syn_flood',
    'critical',
    'T1499.001',
    9200,
    40,
    'SYN/s',
    null,
    '10.0.0.13',
    'tcp/80',
    '10.0.0.13:80 receives 9,200 SYN/s, 99 % never answered',
  ],
];

export function alertsBetween(traffic, since, until) {
  const alerts = [];
  for (let m = Math.floor(Math.max(since, traffic.begin) / 60e3) * 60e3; m < until; m += 60e3) {
    const number = m / 60e3;
    const which =
      number % 47 === 11
        ? 0
        : number % 131 === 7
          ? 1
          : number % 173 === 20
            ? 2
            : number % 211 === 30
              ? 3
              : number % 307 === 12
                ? 4
                : number % 701 === 100
                  ? 5
                  : -1;
    const time = m + 24_500;
    if (which < 0 || time < since || time >= until || !traffic.running(m)) continue;
    const [cls, severity, technique, observed, expected, unit, source, destination, service, summary] =
      kKinds[which];
    alerts.push({
      id: `a${number}`,
      time: rfc3339(time),
      detector: `${cls}_detector`,
      class: cls,
      severity,
      score: 0.6 + (number % 40) / 100,
      observed,
      expected,
      unit,
      entity: { source, destination, service },
      window_seconds: 60,
      evidence:
        cls === 'port_scan'
          ? { ports_tried: 60, refused: 57, first_ports: [7, 14, 21, 28] }
          : { samples: 60 },
      technique,
      state: number % 3 === 0 ? 'closed' : 'open',
      count: 1 + (number % 4),
      summary,
    });
  }
  return alerts.reverse();
}
