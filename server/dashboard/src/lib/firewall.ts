import type { AddressSet, Rule } from '../api/firewall';

// What people type into the editor: lists are texts with commas or spaces between.
export interface RuleText {
  id: string;
  direction: Rule['direction'];
  verdict: Rule['verdict'];
  rate: string;
  burst: string;
  source: string;
  destination: string;
  protocol: string;
  sourcePorts: string;
  ports: string;
  icmpTypes: string;
  inInterface: string;
  outInterface: string;
  states: string;
  expires: string;
  comment: string;
  log: boolean;
  allowWide: boolean;
}

export const kNewRule: RuleText = {
  id: '',
  direction: 'in',
  verdict: 'drop',
  rate: '100',
  burst: '5',
  source: '',
  destination: '',
  protocol: '',
  sourcePorts: '',
  ports: '',
  icmpTypes: '',
  inInterface: '',
  outInterface: '',
  states: '',
  expires: '',
  comment: '',
  log: false,
  allowWide: false,
};

export const listOf = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');

export function toText(rule: Rule): RuleText {
  return {
    id: rule.id,
    direction: rule.direction,
    verdict: rule.verdict,
    rate: String(rule.rate_limit?.packets_per_second ?? 100),
    burst: String(rule.rate_limit?.burst ?? 5),
    source: rule.source.join(', '),
    destination: rule.destination.join(', '),
    protocol: rule.protocol ?? '',
    sourcePorts: rule.source_ports.join(', '),
    ports: rule.destination_ports.join(', '),
    icmpTypes: rule.icmp_types.join(', '),
    inInterface: rule.in_interface ?? '',
    outInterface: rule.out_interface ?? '',
    states: rule.states.join(', '),
    expires: rule.expires ?? '',
    comment: rule.comment,
    log: rule.log,
    allowWide: rule.allow_wide,
  };
}

// Digits only where a whole number is wanted; what is none is left for the server to refuse by name.
const whole = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : Number.NaN);

export function toRule(text: RuleText, before?: Rule): Partial<Rule> {
  return {
    ...before,
    id: text.id.trim(),
    direction: text.direction,
    verdict: text.verdict,
    rate_limit:
      text.verdict === 'rate_limit'
        ? { packets_per_second: whole(text.rate), burst: whole(text.burst) }
        : null,
    source: listOf(text.source),
    destination: listOf(text.destination),
    protocol: text.protocol.trim() || null,
    source_ports: listOf(text.sourcePorts),
    destination_ports: listOf(text.ports),
    icmp_types: listOf(text.icmpTypes).map(whole),
    in_interface: text.inInterface.trim() || null,
    out_interface: text.outInterface.trim() || null,
    states: listOf(text.states),
    expires: text.expires.trim() || null,
    comment: text.comment.trim(),
    log: text.log,
    allow_wide: text.allowWide,
  };
}

// "all traffic", "tcp", "tcp port 22"
export function scopeInWords({ protocol, port }: { protocol: string | null; port: number | null }): string {
  if (!protocol) return 'all traffic';
  return port === null ? protocol : `${protocol} port ${port}`;
}

// The set as it is edited: one address or network a line.
export const setToText = (set: AddressSet) =>
  set.elements.map(({ prefix }) => prefix.replace(/\/(32|128)$/, '')).join('\n');

// What stays in the set keeps its end.
export function setFromText(
  name: string,
  kind: AddressSet['kind'],
  text: string,
  before?: AddressSet,
): AddressSet {
  const host = (prefix: string) => prefix.replace(/\/(32|128)$/, '');
  const ends = new Map(before?.elements.map(({ prefix, expires }) => [host(prefix), expires]));
  return {
    name: name.trim(),
    kind,
    allow_wide: before?.allow_wide ?? false,
    elements: listOf(text).map((prefix) => ({ prefix, expires: ends.get(host(prefix)) ?? null })),
  };
}

// The ids with one of them a place up (-1) or down (1); null when it is at the end already.
export function moved(ids: string[], id: string, by: -1 | 1): string[] | null {
  const at = ids.indexOf(id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= ids.length) return null;
  const next = [...ids];
  [next[at], next[to]] = [next[to]!, next[at]!];
  return next;
}

export const kDurations = [
  { value: '600', label: '10 min' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
  { value: '', label: 'Until lifted' },
];
