// What the synthetic flows carry: the list of applications in the order of their numbers, and the metadata and statistics that a
// real engine would have found. Some of it is hostile on purpose, because strangers choose it.

const kList = `unknown:unknown dns:name_resolution mdns:name_resolution llmnr:name_resolution netbios:name_resolution tls:web
 dtls:network_service quic:web http:web http2:web websocket:web ssh:remote_access telnet:remote_access ftp:file_transfer
 ftp_data:file_transfer tftp:file_transfer smtp:mail pop3:mail imap:mail sip:voice rtp:voice rtcp:voice rtsp:video
 stun:network_service dhcp:network_service dhcpv6:network_service ntp:network_service snmp:network_service
 syslog:network_service smb:file_transfer rdp:remote_access vnc:remote_access ldap:authentication kerberos:authentication
 radius:authentication mqtt:iot coap:iot modbus:industrial dnp3:industrial s7comm:industrial ethernet_ip:industrial
 bacnet:industrial bittorrent:peer_to_peer wireguard:vpn openvpn:vpn ike:vpn mysql:database postgresql:database redis:database
 mongodb:database mssql:database oracle:database memcached:database bgp:network_service ssdp:network_service irc:messaging
 xmpp:messaging socks:web rpc:network_service nfs:file_transfer netflow:network_service rtmp:video vxlan:vpn gtp:vpn teredo:vpn
 icmp:network_service`;
export const kApplications = kList
  .trim()
  .split(/\s+/)
  .map((entry, number) => {
    const [name, category] = entry.split(':');
    return { number, name, category };
  });
export const kCategories = [...new Set(kApplications.map((a) => a.category))];
export const categoryOf = (name) => kApplications.find((a) => a.name === name)?.category ?? 'unknown';

const kNames = {
  '198.51.100.4': 'www.example.com',
  '198.51.100.15': 'api.example.com',
  '198.51.100.26': 'cdn.static.example.net',
  '198.51.100.37': 'updates.example.org',
  '203.0.113.9': 'video.example.tv',
  '203.0.113.26': 'mail.example.com',
  '2001:db8:2::443': 'six.example.com',
  '10.0.0.1': 'router.lan',
  '10.0.0.10': 'printer.lan',
  '10.0.0.13': 'db-1.lan',
  '10.0.0.16': 'lena-laptop.lan',
};
export const nameOf = (address) => kNames[address] ?? null;

// What somebody might send to break a page: markup, an attribute's end, a text that is read backwards, a very long one.
const kHostile = [
  '<img src=x onerror=alert(1)>.example.com',
  '"><script>document.title="owned"</script>',
  'gro.elpmaxe\u202emoc.knab.www',
  `${'a-very-long-label-that-goes-on-'.repeat(30)}.example.net`,
];

const hex = (random, digits) =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');

function clean(record) {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined && value !== null),
  );
}

function tls(random, name, quic) {
  const old = random() < 0.05;
  return {
    server_name: name,
    tls_version: old ? 'TLS 1.2' : 'TLS 1.3',
    alpn: quic ? 'h3' : 'h2,http/1.1',
    cipher: old ? 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' : 'TLS_AES_128_GCM_SHA256',
    ja3: hex(random, 32),
    ja3s: quic ? undefined : hex(random, 32),
    ja4: `${quic ? 'q' : 't'}13d1516h2_${hex(random, 12)}_${hex(random, 12)}`,
    ...(quic ? { quic_version: '1' } : {}),
    ...(old
      ? {
          certificate_subject: `CN=${name}`,
          certificate_issuer: 'CN=Example Issuing CA 2, O=Example Trust, C=US',
          certificate_not_before: '2024-03-01T00:00:00Z',
          certificate_not_after: '2025-03-01T00:00:00Z',
        }
      : {}),
  };
}

function metadataOf(application, f, random) {
  const known = nameOf(f.destination) ?? `host-${f.destination.replace(/[^0-9a-f]+/g, '-')}.example.net`;
  const hostile = random() < 0.02 ? kHostile[Math.floor(random() * kHostile.length)] : null;
  const name = hostile ?? known;
  switch (application) {
    case 'tls':
      return tls(random, name, false);
    case 'quic':
      return tls(random, name, true);
    case 'http':
      return {
        server_name: name,
        http_method: random() < 0.9 ? 'GET' : 'POST',
        http_path: random() < 0.5 ? '/' : `/assets/${hex(random, 8)}/app.js?v=3&<b>bold</b>`,
        http_status: random() < 0.9 ? '200' : '404',
        content_type: 'text/html; charset=utf-8',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
      };
    case 'dns':
      return {
        server_name: hostile ?? Object.values(kNames)[Math.floor(random() * 6)],
        dns_type: random() < 0.7 ? 'A' : 'AAAA',
        dns_rcode: random() < 0.92 ? 'NOERROR' : 'NXDOMAIN',
        dns_answers: '198.51.100.4,198.51.100.15',
      };
    case 'ssh':
      return {
        client_version: 'SSH-2.0-OpenSSH_9.2p1 Debian-2',
        server_version: 'SSH-2.0-OpenSSH_8.9p1',
        hassh: hex(random, 32),
        hassh_server: hex(random, 32),
        login_failures: random() < 0.4 ? String(1 + Math.floor(random() * 5)) : undefined,
        login_successes: random() < 0.7 ? '1' : undefined,
      };
    case 'postgresql':
      return { user_name: 'reports', login_successes: '1', request: 'SELECT', response: 'T' };
    default:
      return {};
  }
}

function moments(random, count, low, high) {
  if (count < 1) return { count: 0, minimum: 0, maximum: 0, mean: 0, deviation: 0 };
  const minimum = Math.round(low * (1 + random()));
  const maximum = count === 1 ? minimum : Math.round(Math.max(minimum, high * (0.6 + 0.4 * random())));
  return {
    count,
    minimum,
    maximum,
    mean: minimum + (maximum - minimum) * 0.37,
    deviation: (maximum - minimum) * 0.29,
  };
}

function direction(random, packets, nanoseconds, hops, isTcp) {
  const lossy = isTcp && random() < 0.15;
  return {
    ip_length: moments(random, packets, 40, 1500),
    inter_arrival: moments(random, packets - 1, 20_000, (nanoseconds / Math.max(1, packets)) * 4),
    hop_limit_minimum: hops,
    hop_limit_maximum: hops,
    dscp: random() < 0.1 ? 46 : 0,
    fragments: 0,
    retransmissions: lossy ? Math.ceil(packets * 0.02) : 0,
    out_of_order: lossy ? 1 : 0,
    zero_windows: isTcp && random() < 0.03 ? 2 : 0,
    resets: 0,
    payload_entropy: null,
  };
}

function statisticsOf(f, forward, reverse, random) {
  const nanoseconds = Math.max(0, (f.lastMs - f.firstMs) * 1e6);
  const count = Math.min(16, forward + reverse);
  const isTcp = f.protocol === 6;
  let offset = 0;
  const first_packets = Array.from({ length: count }, (_, i) => {
    if (i > 0) offset += Math.round((nanoseconds / 40) * random() ** 3 + 30_000);
    const is_forward = isTcp && i < 3 ? i !== 1 : random() < 0.45;
    const payload_bytes =
      isTcp && i < 3 ? 0 : is_forward ? Math.round(517 * random()) : Math.round(1448 * random());
    return { offset, ip_bytes: payload_bytes + (isTcp ? 52 : 28), payload_bytes, is_forward };
  });
  return {
    forward: direction(random, forward, nanoseconds, 64, isTcp),
    reverse: direction(random, reverse, nanoseconds, 55, isTcp),
    inter_arrival: moments(random, forward + reverse - 1, 10_000, nanoseconds / (forward + reverse)),
    destination_round_trip: isTcp ? Math.round(8e6 + 2e7 * random()) : null,
    source_round_trip: isTcp ? Math.round(2e5 + 1e6 * random()) : null,
    source_mac: '02:00:5e:10:00:01',
    destination_mac: '02:00:5e:10:00:fe',
    tunnels: f.vlan === null ? 0 : 32,
    first_packets,
  };
}

const kByService = {
  '6/443': 'tls',
  '17/443': 'quic',
  '6/80': 'http',
  '17/53': 'dns',
  '6/22': 'ssh',
  '6/5432': 'postgresql',
  '17/123': 'ntp',
  '1/0': 'icmp',
};

// Everything a record has beside its counters; f as Traffic.record() takes it.
export function describe(f, forward, reverse, random) {
  const guessed = kByService[`${f.protocol}/${f.dport}`];
  const seen = guessed && f.forward > 100 && random() > 0.06;
  const application = guessed && (seen || random() < 0.5) ? guessed : null;
  const metadata = clean({
    ...(seen ? metadataOf(application, f, random) : {}),
    destination_name: nameOf(f.destination),
    source_name: nameOf(f.source),
  });
  return {
    application,
    category: application ? categoryOf(application) : null,
    evidence: application === null ? null : seen ? 'payload' : 'port',
    tcp_state:
      f.protocol !== 6
        ? null
        : f.flags[1] & 4
          ? 'reset'
          : f.reason === 'end_of_flow'
            ? 'closed'
            : 'established',
    icmp: f.protocol === 1 ? { type: 8, code: 0 } : f.protocol === 58 ? { type: 128, code: 0 } : null,
    outcome: f.flags[1] & 4 ? 'refused' : 'answered',
    community_id: `1:${hex(random, 27)}=`,
    metadata: Object.keys(metadata).length > 0 ? metadata : null,
    statistics: statisticsOf(f, forward, reverse, random),
  };
}
