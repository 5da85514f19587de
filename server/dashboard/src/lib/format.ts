// Numbers in words a person reads at a glance: SI prefixes, three significant digits, the unit always there.

const kPrefixes = ['', 'k', 'M', 'G', 'T', 'P'];
const kGap = '\u00a0';

function threeDigits(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function si(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '–';
  const sign = value < 0 ? '-' : '';
  let scaled = Math.abs(value);
  let prefix = 0;
  // 999.5 would print as 1000: it belongs to the next prefix.
  while (scaled >= 999.5 && prefix < kPrefixes.length - 1) {
    scaled /= 1000;
    prefix += 1;
  }
  const digits = prefix === 0 && scaled >= 1 ? String(Math.round(scaled)) : threeDigits(scaled);
  const suffix = `${kPrefixes[prefix]}${unit}`;
  return suffix ? `${sign}${digits}${kGap}${suffix}` : `${sign}${digits}`;
}

// For axes: 1.5 Mbit/s, not 1.50 Mbit/s.
export const siShort = (value: number, unit: string) =>
  si(value, unit).replace(/(\.\d*?)0+(?=\D|$)/, (_, kept: string) => (kept === '.' ? '' : kept));

export const formatBytes = (bytes: number) => si(bytes, 'B');
export const formatBitRate = (bits_per_second: number) => si(bits_per_second, 'bit/s');
export const formatPacketRate = (packets_per_second: number) => si(packets_per_second, 'packets/s');

const kGrouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
export const formatCount = (count: number) => kGrouped.format(count);
const kThree = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
// Of no known unit: at most three significant digits, but never fewer than those before the point.
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Number.isInteger(value) || Math.abs(value) >= 100 ? kGrouped.format(value) : kThree.format(value);
}
export const plural = (count: number, noun: string, many = `${noun}s`) =>
  `${formatCount(count)} ${count === 1 ? noun : many}`;

export function formatPercent(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0 %';
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds === 0) return '0 s';
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 0.9995) return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 10 && !Number.isInteger(seconds) ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const units: [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => whole >= size);
  const [size, name] = units[first]!;
  const rest = units[first + 1];
  const left = rest ? Math.floor((whole % size) / rest[0]) : 0;
  return `${Math.floor(whole / size)} ${name}${rest && left ? ` ${left} ${rest[1]}` : ''}`;
}

// "tcp" and "6" are the same protocol: keys of rollups are names, fields of flows are IANA numbers.
const kProtocols: Record<number, string> = {
  0: 'hopopt',
  1: 'icmp',
  2: 'igmp',
  4: 'ipv4',
  6: 'tcp',
  8: 'egp',
  9: 'igp',
  17: 'udp',
  33: 'dccp',
  41: 'ipv6',
  46: 'rsvp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'icmpv6',
  88: 'eigrp',
  89: 'ospf',
  94: 'ipip',
  97: 'etherip',
  103: 'pim',
  112: 'vrrp',
  115: 'l2tp',
  132: 'sctp',
  135: 'mobility',
  136: 'udplite',
  137: 'mpls',
};
export function protocolName(key: number | string): string {
  const number = typeof key === 'number' ? key : /^\d+$/.test(key) ? Number(key) : undefined;
  if (number === undefined) return String(key);
  return kProtocols[number] ?? String(number);
}
// "other" is a sum of many: no filter selects it.
export const canFilterProtocol = (key: number | string) => protocolName(key) !== 'other';

const kServices: Record<number, string> = {
  20: 'ftp-data',
  21: 'ftp',
  22: 'ssh',
  23: 'telnet',
  25: 'smtp',
  53: 'dns',
  67: 'dhcp',
  68: 'dhcp',
  69: 'tftp',
  80: 'http',
  110: 'pop3',
  123: 'ntp',
  137: 'netbios-ns',
  138: 'netbios-dgm',
  139: 'netbios-ssn',
  143: 'imap',
  161: 'snmp',
  162: 'snmp-trap',
  179: 'bgp',
  389: 'ldap',
  443: 'https',
  445: 'smb',
  465: 'smtps',
  514: 'syslog',
  546: 'dhcpv6',
  547: 'dhcpv6',
  587: 'submission',
  631: 'ipp',
  636: 'ldaps',
  853: 'dns-tls',
  993: 'imaps',
  995: 'pop3s',
  1194: 'openvpn',
  1433: 'mssql',
  1883: 'mqtt',
  1900: 'ssdp',
  2049: 'nfs',
  3306: 'mysql',
  3389: 'rdp',
  3478: 'stun',
  4500: 'ipsec-nat',
  4789: 'vxlan',
  5060: 'sip',
  5353: 'mdns',
  5432: 'postgresql',
  5672: 'amqp',
  5900: 'vnc',
  6379: 'redis',
  6443: 'kubernetes',
  8080: 'http-alt',
  8443: 'https-alt',
  8883: 'mqtts',
  9092: 'kafka',
  9200: 'elasticsearch',
  27017: 'mongodb',
  51820: 'wireguard',
};
export const serviceName = (port: number): string | undefined => kServices[port];

const kFlagLetters: [number, string][] = [
  [0x02, 'S'],
  [0x10, 'A'],
  [0x08, 'P'],
  [0x01, 'F'],
  [0x04, 'R'],
  [0x20, 'U'],
  [0x40, 'E'],
  [0x80, 'C'],
];
export const formatTcpFlags = (flags: number) =>
  kFlagLetters
    .filter(([bit]) => flags & bit)
    .map(([, letter]) => letter)
    .join('') || '–';

export const inWords = (identifier: string) => identifier.replace(/_/g, ' ');
export const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

// What the server says of a mistake begins small and has no end; between sentences it is one.
export const sentence = (text: string) =>
  /[\p{L}\p{N}"]$/u.test(text) ? `${capitalised(text)}.` : capitalised(text);

const kAcronyms = new Set(['api', 'arp', 'dhcp', 'dns', 'http', 'icmp', 'ip', 'syn', 'tcp', 'tls', 'udp']);
// "syn_flood" -> "SYN flood"
export const alertClassName = (name: string) =>
  capitalised(
    name
      .split('_')
      .map((word) => (kAcronyms.has(word) ? word.toUpperCase() : word))
      .join(' '),
  );

// In the middle of a sentence: "dns_tunnel" -> "DNS tunnel", "port_scan" -> "port scan".
export function detectorName(name: string): string {
  const words = alertClassName(name);
  return /^[A-Z][a-z]/.test(words) ? words.charAt(0).toLowerCase() + words.slice(1) : words;
}

export function hostPort(address: string, port: number): string {
  if (!port) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
