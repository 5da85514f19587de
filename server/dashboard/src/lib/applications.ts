import type { Evidence, Flow } from '../api/types';
import { inWords } from './format';

// How names of applications and categories are written for people. What is not listed is an abbreviation.
const kWritten: Record<string, string> = {
  unknown: 'unknown',
  other: 'other',
  mdns: 'mDNS',
  netbios: 'NetBIOS',
  http2: 'HTTP/2',
  websocket: 'WebSocket',
  telnet: 'Telnet',
  ftp_data: 'FTP data',
  dhcpv6: 'DHCPv6',
  syslog: 'Syslog',
  kerberos: 'Kerberos',
  coap: 'CoAP',
  modbus: 'Modbus',
  s7comm: 'S7comm',
  ethernet_ip: 'EtherNet/IP',
  bacnet: 'BACnet',
  bittorrent: 'BitTorrent',
  wireguard: 'WireGuard',
  openvpn: 'OpenVPN',
  mysql: 'MySQL',
  postgresql: 'PostgreSQL',
  redis: 'Redis',
  mongodb: 'MongoDB',
  oracle: 'Oracle',
  memcached: 'Memcached',
  netflow: 'NetFlow',
  teredo: 'Teredo',
};
const kAbbreviation = /^[a-z0-9]{2,6}$/;
export function applicationName(key: string): string {
  return kWritten[key] ?? (kAbbreviation.test(key) ? key.toUpperCase() : inWords(key));
}

const kCategoryWords: Record<string, string> = { vpn: 'VPN and tunnels', iot: 'IoT' };
export const categoryName = (key: string) => kCategoryWords[key] ?? inWords(key);

// How an application is known, in words: a guess is called one.
export interface EvidenceWords {
  short: string;
  long: string;
  isGuess: boolean;
}
const kEvidence: Record<Evidence, EvidenceWords> = {
  payload: {
    short: 'seen in its messages',
    long: 'The first messages of the flow follow this protocol.',
    isGuess: false,
  },
  name: {
    short: 'by the name it asked for',
    long: 'Concluded from a host name that was resolved or asked for.',
    isGuess: false,
  },
  port: {
    short: 'a guess from the port',
    long: 'Only the port number suggests it; nothing in the traffic confirms it.',
    isGuess: true,
  },
  none: { short: 'not known', long: 'Nothing in the traffic said what it is.', isGuess: false },
};

// What a server does not tell is not known: without evidence an application is a guess at most.
export function evidenceOf(flow: Flow): EvidenceWords {
  const known = flow.application !== null && flow.application !== 'unknown';
  if (!known) return kEvidence.none;
  return kEvidence[flow.evidence ?? 'port'] ?? kEvidence.port;
}

export interface KnownApplication {
  key: string;
  text: string;
  evidence: EvidenceWords;
}
export function applicationOf(flow: Flow): KnownApplication | null {
  if (flow.application === null || flow.application === 'unknown') return null;
  return { key: flow.application, text: applicationName(flow.application), evidence: evidenceOf(flow) };
}

// The name of the other side, whatever said it.
export const nameOf = (flow: Flow): string | null =>
  flow.metadata?.server_name || flow.metadata?.destination_name || null;

const kTcpStates: Record<string, string> = {
  midstream: 'under way already when the capture began',
  syn_sent: 'asked, no answer seen',
  syn_received: 'answered, not confirmed',
  established: 'established',
  closing: 'closed by one side',
  closed: 'closed by both sides',
  reset: 'reset',
};
export const tcpStateWords = (state: string | null | undefined): string | null =>
  state && state !== 'none' ? (kTcpStates[state] ?? inWords(state)) : null;
