import { protocolName } from './format';

// Classes, not colours: the themes decide how they look. A protocol, application or category keeps its class on every page.
const kNamed = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'gre', 'esp', 'arp', 'igmp'];

// What is seen most has a colour of its own among its kind; the others share.
const kSlots: Record<string, number> = {
  // Applications.
  tls: 0,
  http: 1,
  dns: 2,
  quic: 3,
  ssh: 4,
  smb: 5,
  postgresql: 6,
  ntp: 7,
  rdp: 8,
  mqtt: 9,
  http2: 9,
  mdns: 8,
  smtp: 5,
  dhcp: 6,
  snmp: 4,
  bittorrent: 5,
  sip: 9,
  rtp: 7,
  wireguard: 8,
  mysql: 6,
  // Categories.
  web: 0,
  name_resolution: 2,
  network_service: 7,
  remote_access: 4,
  database: 6,
  file_transfer: 5,
  mail: 1,
  vpn: 8,
  video: 3,
  voice: 9,
  industrial: 8,
  iot: 9,
  authentication: 3,
  peer_to_peer: 5,
};
const kSlotCount = 10;

function slotOf(name: string): number {
  const slot = kSlots[name];
  if (slot !== undefined) return slot;
  let hash = 7;
  for (const character of name) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return hash % kSlotCount;
}

export function seriesClass(key: string): string {
  const name = protocolName(key);
  if (name === 'other' || name === 'unknown' || name === 'total') return 'series-other';
  if (kNamed.includes(name)) return `series-${name}`;
  // A protocol that is not in the list is rare, and has only its number or an odd name.
  return /^\d+$/.test(name) ? 'series-other' : `series-${slotOf(name)}`;
}
