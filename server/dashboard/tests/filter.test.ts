import { describe, expect, it } from 'vitest';
import {
  addPill,
  characterAt,
  clause,
  complete,
  fromPills,
  isNegated,
  literal,
  negate,
  onlyAddress,
  removePill,
  toPills,
} from '../src/lib/filter';

describe('pills', () => {
  it('are the parts of a conjunction', () => {
    expect(toPills('src=10.0.0.0/8 and dport in (80,443) and bytes>1e6')).toEqual([
      'src=10.0.0.0/8',
      'dport in (80,443)',
      'bytes>1e6',
    ]);
    expect(toPills('not src=10.0.0.1 and proto=udp')).toEqual(['not src=10.0.0.1', 'proto=udp']);
    expect(toPills('  ')).toEqual([]);
  });
  it('keep parentheses and a top-level or together', () => {
    expect(toPills('(a=1 and b=2) and c=3')).toEqual(['(a=1 and b=2)', 'c=3']);
    expect(toPills('src=10.0.0.1 or dst=10.0.0.1 and port=53')).toEqual([
      'src=10.0.0.1 or dst=10.0.0.1 and port=53',
    ]);
  });
  it('do not split at words inside values', () => {
    expect(toPills('end_reason="this and that" and port=80')).toEqual([
      'end_reason="this and that"',
      'port=80',
    ]);
  });
  it('know the signs for the joining words', () => {
    expect(toPills('a=1 && !b=2')).toEqual(['a=1', '!b=2']);
    expect(fromPills(['a=1 || b=2', 'c==3'])).toBe('(a=1 || b=2) and c==3');
    expect(negate('!b=2')).toBe('b=2');
    expect(negate('a=1 or b=2')).toBe('not (a=1 or b=2)');
    expect(addPill('not b=2 and a=1', '!b=2')).toBe('a=1');
    expect(['not a=1', '!a=1', 'a!=1', 'a <> 1', 'a not in (1)', 'a=1'].map(isNegated)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });
  it('join to the same meaning', () => {
    expect(fromPills(['a=1 or b=2', 'c=3'])).toBe('(a=1 or b=2) and c=3');
    expect(fromPills(['a=1', ' ', ''])).toBe('a=1');
    const where = 'src=10.0.0.0/8 and (port=53 or port=853) and not vlan=10';
    expect(fromPills(toPills(where))).toBe(where);
  });
  it('appear once, vanish on the second click, and replace their opposite', () => {
    const once = addPill('proto=tcp', 'src=10.0.0.1');
    expect(once).toBe('proto=tcp and src=10.0.0.1');
    expect(addPill(once, 'src = 10.0.0.1')).toBe('proto=tcp');
    expect(addPill(once, negate('src=10.0.0.1'))).toBe('proto=tcp and not src=10.0.0.1');
    expect(addPill('not src=10.0.0.1', 'src=10.0.0.1')).toBe('src=10.0.0.1');
  });
  it('are removed by place', () => expect(removePill('a=1 and b=2 and c=3', 1)).toBe('a=1 and c=3'));
  it('are negated twice to themselves', () => expect(negate(negate('src=10.0.0.1'))).toBe('src=10.0.0.1'));
});

describe('values', () => {
  it('from packets are quoted when the grammar could misread them', () => {
    expect(literal('2001:db8::1')).toBe('2001:db8::1');
    expect(literal(443)).toBe('443');
    expect(literal('a b) or bytes>0')).toBe('"a b) or bytes>0"');
    expect(literal('say "x"')).toBe('"say \\"x\\""');
    expect(literal('or')).toBe('"or"');
    expect(toPills(clause('src', 'x" and port=1 and src="y'))).toHaveLength(1);
  });
});

describe('a single host', () => {
  it('is recognised, for it can be drawn over time', () => {
    expect(onlyAddress('host=10.0.0.1')).toBe('10.0.0.1');
    expect(onlyAddress(' host = 2001:db8::1 ')).toBe('2001:db8::1');
    expect(onlyAddress('host=10.0.0.0/8')).toBeNull();
    expect(onlyAddress('host=10.0.0.1 and port=53')).toBeNull();
    expect(onlyAddress('src=10.0.0.1')).toBeNull();
  });
});

describe('an error', () => {
  it('is marked at its character though the server counts bytes', () => {
    expect(characterAt('src=1', 4)).toBe(4);
    expect(characterAt('„x“ foo=1', 8)).toBe(4);
  });
});

describe('completion', () => {
  const labels = (text: string) => complete(text, text.length).map((option) => option.label);
  it('offers fields at the start and after joining words', () => {
    expect(labels('')).toContain('src');
    expect(labels('s')).toEqual(['src', 'sport', 'server_name', 'source_name']);
    expect(labels('src=10.0.0.1 and d')).toEqual(['dst', 'dport', 'duration', 'destination_name']);
    expect(labels('ja')).toEqual(['ja4', 'ja3', 'ja3s']);
    expect(labels('ha')).toEqual(['hassh', 'hassh_server']);
    expect(labels('not (p')).toEqual(['port', 'proto', 'packets']);
  });
  it('offers operators after a field, protocols after proto', () => {
    expect(labels('bytes ')).toContain('>=');
    expect(labels('bytes')).toContain('bytes>');
    expect(labels('proto=')).toContain('icmpv6');
    expect(labels('end_reason=i')).toEqual(['idle_timeout']);
    expect(labels('proto=t')).toEqual(['tcp']);
  });
  it('offers applications once the server has told them', () => {
    const values = { app: ['tls', 'telnet', 'dns'] };
    expect(complete('app=t', 5, values).map((option) => option.label)).toEqual(['tls', 'telnet']);
  });
  it('offers nothing while a value is written', () => expect(labels('src=10.0')).toEqual([]));
  it('replaces the word at the caret', () => {
    const [option] = complete('src=1 and dp', 12);
    expect(option).toMatchObject({ insert: 'dport', from: 10 });
  });
});
