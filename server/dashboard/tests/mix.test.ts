import { describe, expect, it } from 'vitest';
import type { Top } from '../src/api/types';
import { guessWords, isGuess, parts } from '../src/lib/mix';

const row = (key: string, bytes: number) => ({ key, bytes, packets: 1, flows: 1 });
const top = (change: Partial<Top>) =>
  ({ total: { bytes: 100, packets: 9, flows: 9 }, rows: [row('dns', 10), row('tls', 60)], ...change }) as Top;
const shown = (list: { key: string; bytes: number }[]) => list.map(({ key, bytes }) => [key, bytes]);

describe('a mix', () => {
  it('adds up: what is not known and what found no row are parts of it', () => {
    const other = { bytes: 20, packets: 2, flows: 2 };
    expect(shown(parts(top({ other }), 'application', 9))).toEqual([
      ['tls', 60],
      ['dns', 10],
      ['unknown', 20],
      ['other', 10],
    ]);
  });
  it('calls the rest unknown when every row has come, and other when some have not', () => {
    expect(shown(parts(top({}), 'application', 9))).toContainEqual(['unknown', 30]);
    expect(shown(parts(top({}), 'application', 2))).toContainEqual(['other', 30]);
  });
  it('tells a guess from what the traffic says', () => {
    const guessed = (bytes: number) => ({ ...row('tls', 60), guessed: { bytes, packets: 1, flows: 1 } });
    expect([guessed(0), guessed(15), guessed(60), row('tls', 60)].map(isGuess)).toEqual([
      false,
      false,
      true,
      false,
    ]);
    expect([guessed(0), guessed(15), guessed(60)].map(guessWords)).toEqual([
      '',
      ', 25\u00a0%\u00a0guessed',
      ', a guess',
    ]);
  });
  it('has protocols in the order of the chart, with nothing added', () => {
    const rows = [row('udp', 70), row('tcp', 10)];
    expect(shown(parts(top({ rows }), 'protocol', 9))).toEqual([
      ['tcp', 10],
      ['udp', 70],
    ]);
  });
});
