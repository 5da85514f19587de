import { describe, expect, it } from 'vitest';
import type { Rule } from '../src/api/firewall';
import { kNewRule, listOf, moved, toRule, toText } from '../src/lib/firewall';

const kRule: Rule = {
  id: 'web',
  direction: 'in',
  verdict: 'rate_limit',
  rate_limit: { packets_per_second: 50, burst: 9 },
  source: ['192.0.2.0/24', '@bad'],
  destination: [],
  protocol: 'tcp',
  source_ports: ['1024-65535'],
  destination_ports: ['80', '8000-8080'],
  icmp_types: [],
  in_interface: 'eth0',
  out_interface: null,
  states: ['new'],
  log: true,
  expires: null,
  comment: 'why',
  author: 'anna',
  allow_wide: false,
};

describe('the editor of a rule', () => {
  it('gives back the rule that it was given, what it does not show included', () => {
    expect(toRule(toText(kRule), kRule)).toEqual(kRule);
  });
  it('makes a rule of what was typed', () => {
    const rule = toRule({ ...kNewRule, id: ' no-telnet ', protocol: 'tcp', ports: '23, 2323 8023' });
    expect(rule).toMatchObject({
      id: 'no-telnet',
      verdict: 'drop',
      rate_limit: null,
      protocol: 'tcp',
      destination_ports: ['23', '2323', '8023'],
      source: [],
      expires: null,
    });
  });
  it('takes lists with commas, spaces and lines', () => {
    expect(listOf(' a, b\nc ,,d ')).toEqual(['a', 'b', 'c', 'd']);
    expect(listOf('  ')).toEqual([]);
  });
});

describe('the order of rules', () => {
  it('moves one by one place and stops at the ends', () => {
    expect(moved(['a', 'b', 'c'], 'b', -1)).toEqual(['b', 'a', 'c']);
    expect(moved(['a', 'b', 'c'], 'b', 1)).toEqual(['a', 'c', 'b']);
    expect(moved(['a', 'b', 'c'], 'a', -1)).toBeNull();
    expect(moved(['a', 'b', 'c'], 'c', 1)).toBeNull();
    expect(moved(['a'], 'x', 1)).toBeNull();
  });
});
