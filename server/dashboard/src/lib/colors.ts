import { protocolName } from './format';

// Classes, not colours: the themes decide how they look. A protocol keeps its class on every page.
const kNamed = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'gre', 'esp', 'arp', 'igmp'];
export function seriesClass(key: string): string {
  const name = protocolName(key);
  return kNamed.includes(name) ? `series-${name}` : 'series-other';
}
