import { describe, expect, it } from 'vitest';
import {
  alertClassName,
  canFilterProtocol,
  formatBitRate,
  formatBytes,
  formatDuration,
  formatPercent,
  formatTcpFlags,
  hostPort,
  plural,
  protocolName,
  siShort,
} from '../src/lib/format';

const plain = (text: string) => text.replace(/\u00a0/g, ' ');

describe('numbers', () => {
  it('carry three digits, an SI prefix and their unit', () => {
    expect(plain(formatBytes(0))).toBe('0 B');
    expect(plain(formatBytes(999))).toBe('999 B');
    expect(plain(formatBytes(1234))).toBe('1.23 kB');
    expect(plain(formatBytes(1e9))).toBe('1 GB');
    expect(plain(formatBitRate(12_345_678))).toBe('12.3 Mbit/s');
  });
  it('on axes lose the zeros that say nothing', () => {
    expect(plain(siShort(1.5e6, 'bit/s'))).toBe('1.5 Mbit/s');
    expect(plain(siShort(20e6, 'bit/s'))).toBe('20 Mbit/s');
    expect(plain(siShort(500, 'bit/s'))).toBe('500 bit/s');
  });
  it('never print 1000 of a prefix', () => {
    expect(plain(formatBytes(999_600))).toBe('1.00 MB');
    expect(plain(formatBytes(999.6))).toBe('1.00 kB');
  });
  it('say nothing about what is not a number', () => {
    expect(formatBytes(NaN)).toBe('–');
    expect(formatBytes(Infinity)).toBe('–');
  });
  it('show a small share as small, not as nothing', () => {
    expect(formatPercent(1, 100_000)).toBe('<0.1 %');
    expect(formatPercent(0, 10)).toBe('0 %');
    expect(formatPercent(1, 0)).toBe('0 %');
    expect(formatPercent(995, 10_000)).toBe('10 %');
    expect(formatPercent(1, 3)).toBe('33 %');
  });
  it('count in words', () => {
    expect(plural(1, 'flow')).toBe('1 flow');
    expect(plural(12_304, 'flow')).toBe('12,304 flows');
    expect(plural(2, 'address', 'addresses')).toBe('2 addresses');
  });
});

describe('durations', () => {
  it('choose the unit by size', () => {
    expect(formatDuration(0)).toBe('0 s');
    expect(formatDuration(0.0000421)).toBe('42 µs');
    expect(formatDuration(0.0042)).toBe('4.2 ms');
    expect(formatDuration(0.42)).toBe('420 ms');
    expect(formatDuration(4.2)).toBe('4.2 s');
    expect(formatDuration(2)).toBe('2 s');
    expect(formatDuration(59.97)).toBe('1 min');
    expect(formatDuration(3725)).toBe('1 h 2 min');
    expect(formatDuration(90_000)).toBe('1 d 1 h');
  });
  it('refuse what is not a duration', () => expect(formatDuration(-1)).toBe('–'));
});

describe('names', () => {
  it('of protocols are the same for numbers and words', () => {
    expect(protocolName(6)).toBe('tcp');
    expect(protocolName('6')).toBe('tcp');
    expect(protocolName('tcp')).toBe('tcp');
    expect(protocolName(250)).toBe('250');
  });
  it('of sums are not for filters', () => {
    expect(canFilterProtocol('udp')).toBe(true);
    expect(canFilterProtocol(58)).toBe(true);
    expect(canFilterProtocol('other')).toBe(false);
  });
  it('of alert classes read as words', () => {
    expect(alertClassName('syn_flood')).toBe('SYN flood');
    expect(alertClassName('port_scan')).toBe('Port scan');
  });
  it('put IPv6 into brackets before a port', () => {
    expect(hostPort('2001:db8::1', 443)).toBe('[2001:db8::1]:443');
    expect(hostPort('192.0.2.1', 80)).toBe('192.0.2.1:80');
    expect(hostPort('192.0.2.1', 0)).toBe('192.0.2.1');
  });
  it('of TCP flags are their letters', () => {
    expect(formatTcpFlags(0x12)).toBe('SA');
    expect(formatTcpFlags(0)).toBe('–');
  });
});
