import type { Flow } from '../api/types';
import { inWords } from './format';
import { parseTime } from './time';

// What the first messages of a flow said, put in an order in which a person asks. A field that is not listed here is
// shown all the same, under its own name.

export interface MetadataField {
  key: string;
  label: string;
  help?: string;
  // The filter that selects flows with the same value.
  filter?: string;
  mono?: boolean;
}
export interface MetadataGroup {
  title: string;
  fields: MetadataField[];
}

const kGroups: MetadataGroup[] = [
  {
    title: 'Names',
    fields: [
      {
        key: 'server_name',
        label: 'Asked for',
        help: 'The host name that the source asked for: in TLS or QUIC (SNI), in HTTP (Host), or in its DNS query.',
        filter: 'server_name',
        mono: true,
      },
      {
        key: 'source_name',
        label: 'Source is',
        help: 'The name that the source address was known by: from DNS, DHCP or TLS seen earlier.',
        filter: 'source_name',
        mono: true,
      },
      {
        key: 'destination_name',
        label: 'Destination is',
        help: 'The name that the destination address was known by: from DNS, DHCP or TLS seen earlier.',
        filter: 'destination_name',
        mono: true,
      },
      {
        key: 'host_name',
        label: 'Calls itself',
        help: 'The name that a DHCP client gave itself.',
        mono: true,
      },
    ],
  },
  {
    title: 'Encryption',
    fields: [
      { key: 'tls_version', label: 'Version' },
      {
        key: 'alpn',
        label: 'Offers (ALPN)',
        help: 'Application protocols that the source offered to speak inside.',
      },
      { key: 'cipher', label: 'Cipher', mono: true },
      {
        key: 'encrypted_client_hello',
        label: 'Name hidden',
        help: 'Encrypted Client Hello: the name above, if any, is that of the front, not of the site.',
      },
      { key: 'quic_version', label: 'QUIC version' },
    ],
  },
  {
    title: 'Fingerprints',
    fields: [
      {
        key: 'ja4',
        label: 'JA4',
        help: 'Of the TLS client: programs built on the same library share it.',
        filter: 'ja4',
        mono: true,
      },
      {
        key: 'ja3',
        label: 'JA3',
        help: 'The older fingerprint of the TLS client.',
        filter: 'ja3',
        mono: true,
      },
      {
        key: 'ja3s',
        label: 'JA3S',
        help: 'Of the TLS server’s answer to this client.',
        filter: 'ja3s',
        mono: true,
      },
      { key: 'hassh', label: 'HASSH', help: 'Of the SSH client’s algorithms.', filter: 'hassh', mono: true },
      {
        key: 'hassh_server',
        label: 'HASSH server',
        help: 'Of the SSH server’s algorithms.',
        filter: 'hassh_server',
        mono: true,
      },
      {
        key: 'dhcp_fingerprint',
        label: 'DHCP',
        help: 'Options that the client asked for: tells operating systems apart.',
        mono: true,
      },
    ],
  },
  {
    title: 'Certificate',
    fields: [
      { key: 'certificate_subject', label: 'Subject', mono: true },
      { key: 'certificate_issuer', label: 'Issuer', mono: true },
      { key: 'certificate_not_before', label: 'Valid from' },
      { key: 'certificate_not_after', label: 'Valid until' },
    ],
  },
  {
    title: 'HTTP',
    fields: [
      { key: 'http_method', label: 'Method', mono: true },
      { key: 'http_path', label: 'Path', mono: true },
      { key: 'http_status', label: 'Status' },
      { key: 'content_type', label: 'Content' },
      { key: 'user_agent', label: 'User agent' },
    ],
  },
  {
    title: 'DNS',
    fields: [
      { key: 'dns_type', label: 'Type' },
      { key: 'dns_rcode', label: 'Answer code' },
      { key: 'dns_answers', label: 'Answers', mono: true },
    ],
  },
  {
    title: 'SSH',
    fields: [
      { key: 'client_version', label: 'Client', mono: true },
      { key: 'server_version', label: 'Server', mono: true },
    ],
  },
  {
    title: 'Log-in',
    fields: [
      { key: 'user_name', label: 'User name', mono: true },
      { key: 'login_successes', label: 'Succeeded' },
      { key: 'login_failures', label: 'Failed' },
    ],
  },
  {
    title: 'Other',
    fields: [
      { key: 'vendor_class', label: 'Vendor class' },
      { key: 'request', label: 'First request', mono: true },
      { key: 'response', label: 'Answer to it', mono: true },
    ],
  },
];

export interface MetadataLine extends MetadataField {
  value: string;
}

// Only what is there; unknown fields last.
export function metadataGroups(metadata: Record<string, string>): { title: string; lines: MetadataLine[] }[] {
  const listed = new Set(kGroups.flatMap((group) => group.fields.map((field) => field.key)));
  const more = Object.keys(metadata)
    .filter((key) => !listed.has(key))
    .map((key): MetadataField => ({ key, label: inWords(key) }));
  return kGroups
    .map(({ title, fields }) => ({ title, fields: title === 'Other' ? [...fields, ...more] : fields }))
    .map(({ title, fields }) => ({
      title,
      lines: fields.flatMap((field): MetadataLine[] => {
        const value = metadata[field.key];
        return typeof value === 'string' && value !== '' ? [{ ...field, value }] : [];
      }),
    }))
    .filter((group) => group.lines.length > 0);
}

// What a person should see before they read on.
export function metadataWarnings(flow: Flow): string[] {
  const metadata = flow.metadata ?? {};
  const warnings: string[] = [];
  const seen = parseTime(flow.last_seen);
  const after = parseTime(metadata.certificate_not_after ?? '');
  const before = parseTime(metadata.certificate_not_before ?? '');
  if (after < seen) warnings.push('The certificate had run out when this flow was seen.');
  if (before > seen) warnings.push('The certificate was not valid yet when this flow was seen.');
  const failures = Number(metadata.login_failures ?? 0);
  if (failures > 0) {
    const successes = Number(metadata.login_successes ?? 0);
    warnings.push(
      `${failures === 1 ? 'One log-in' : `${failures} log-ins`} failed${successes > 0 ? ', then one was accepted' : ''}.`,
    );
  }
  return warnings;
}
