import { describe, expect, it } from 'vitest';
import { evidenceLines } from '../src/lib/evidence';

const lines = (key: string, value: unknown) =>
  evidenceLines(key, value, 'utc').map((line) => line.replace(/\u00a0/g, ' '));

describe('evidence', () => {
  it('rounds numbers to three digits and adds the unit that the key tells', () => {
    expect(lines('failed_contacts_per_second', 30.112268574669223)).toEqual(['30.1 /s']);
    expect(lines('ratio', 0.333333)).toEqual(['0.333']);
    expect(lines('usual', 18.199999999999996)).toEqual(['18.2']);
    expect(lines('mean', 12345.6)).toEqual(['12,346']);
    expect(lines('sent_bytes', 1_234_567)).toEqual(['1.23 MB']);
    expect(lines('bits_per_second', 2_500_000)).toEqual(['2.50 Mbit/s']);
    expect(lines('window_seconds', 90)).toEqual(['1 min 30 s']);
  });
  it('groups the digits of counts, not of ports', () => {
    expect(lines('failed_contacts', 12345)).toEqual(['12,345']);
    expect(lines('distinct_ports', 12345)).toEqual(['12,345']);
    expect(lines('destination_port', 51820)).toEqual(['51820']);
    expect(lines('top_ports', [443, 51820])).toEqual(['443', '51820']);
  });
  it('tells times like everywhere else', () =>
    expect(lines('first_seen', '2026-11-22T09:35:56.242988648Z')).toEqual(['2026-11-22 09:35:56.242 UTC']));
  it('puts one value on a line, whatever holds them', () => {
    expect(lines('sample_targets', ['tcp 192.0.2.1:22', 'tcp 192.0.2.2:22'])).toHaveLength(2);
    expect(lines('limits', { low_bytes: 1000, high_bytes: 2000 })).toEqual([
      'low bytes 1 kB',
      'high bytes 2 kB',
    ]);
    expect(lines('peers', [])).toEqual(['none']);
    expect(lines('answered', false)).toEqual(['no']);
    expect(lines('service', null)).toEqual(['–']);
  });
});
