import type { Rule } from '../api/firewall';

// What people type into the editor: lists are texts with commas or spaces between.
export interface RuleText {
  id: string;
  direction: Rule['direction'];
  verdict: Rule['verdict'];
  rate: string;
  source: string;
  destination: string;
  protocol: string;
  ports: string;
  states: string;
  expires: string;
  comment: string;
}

export const kNewRule: RuleText = {
  id: '',
  direction: 'in',
  verdict: 'drop',
  rate: '100',
  source: '',
  destination: '',
  protocol: '',
  ports: '',
  states: '',
  expires: '',
  comment: '',
};

export const listOf = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');

export function toText(rule: Rule): RuleText {
  return {
    id: rule.id,
    direction: rule.direction,
    verdict: rule.verdict,
    rate: String(rule.rate_limit?.packets_per_second ?? 100),
    source: rule.source.join(', '),
    destination: rule.destination.join(', '),
    protocol: rule.protocol ?? '',
    ports: rule.destination_ports.join(', '),
    states: rule.states.join(', '),
    expires: rule.expires ?? '',
    comment: rule.comment,
  };
}

// What the editor does not show of a rule stays as it was.
export function toRule(text: RuleText, before?: Rule): Partial<Rule> {
  return {
    ...before,
    id: text.id.trim(),
    direction: text.direction,
    verdict: text.verdict,
    rate_limit:
      text.verdict === 'rate_limit'
        ? {
            packets_per_second: Math.max(0, Math.round(Number(text.rate) || 0)),
            burst: before?.rate_limit?.burst ?? 5,
          }
        : null,
    source: listOf(text.source),
    destination: listOf(text.destination),
    protocol: text.protocol.trim() || null,
    destination_ports: listOf(text.ports),
    states: listOf(text.states),
    expires: text.expires.trim() || null,
    comment: text.comment.trim(),
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
