import { describe, expect, it } from 'vitest';
import type { Rule } from '../src/api/firewall';
import {
  kNewRule,
  listOf,
  moved,
  scopeInWords,
  setFromText,
  setToText,
  toRule,
  toText,
} from '../src/lib/firewall';

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
  it('has a field for every part of a rule', () => {
    const rule = toRule({
      ...kNewRule,
      id: 'all',
      direction: 'forward',
      verdict: 'rate_limit',
      rate: '7',
      burst: '3',
      source: '192.0.2.0/24',
      destination: '@web',
      protocol: 'udp',
      sourcePorts: '53',
      ports: '1024-65535',
      icmpTypes: '8, 0',
      inInterface: 'eth0',
      outInterface: 'eth1',
      states: 'new',
      expires: '2030-01-01T00:00:00Z',
      comment: 'why',
      log: true,
      allowWide: true,
    });
    expect(rule).toEqual({
      id: 'all',
      direction: 'forward',
      verdict: 'rate_limit',
      rate_limit: { packets_per_second: 7, burst: 3 },
      source: ['192.0.2.0/24'],
      destination: ['@web'],
      protocol: 'udp',
      source_ports: ['53'],
      destination_ports: ['1024-65535'],
      icmp_types: [8, 0],
      in_interface: 'eth0',
      out_interface: 'eth1',
      states: ['new'],
      expires: '2030-01-01T00:00:00Z',
      comment: 'why',
      log: true,
      allow_wide: true,
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

describe('named sets', () => {
  it('keep the ends of what stays in them', () => {
    const before = {
      name: 'bad',
      kind: 'hosts' as const,
      allow_wide: false,
      elements: [
        { prefix: '203.0.113.9/32', expires: '2030-01-01T00:00:00Z' },
        { prefix: '2001:db8::9/128', expires: null },
      ],
    };
    expect(setToText(before)).toBe('203.0.113.9\n2001:db8::9');
    expect(setFromText('bad', 'hosts', '203.0.113.9\n198.51.100.1', before).elements).toEqual([
      { prefix: '203.0.113.9', expires: '2030-01-01T00:00:00Z' },
      { prefix: '198.51.100.1', expires: null },
    ]);
  });
});

describe('what a block cuts', () => {
  it('is said in words', () => {
    expect(scopeInWords({ protocol: null, port: null })).toBe('all traffic');
    expect(scopeInWords({ protocol: 'icmp', port: null })).toBe('icmp');
    expect(scopeInWords({ protocol: 'tcp', port: 22 })).toBe('tcp port 22');
  });
});
