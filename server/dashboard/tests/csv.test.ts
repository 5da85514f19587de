import { describe, expect, it } from 'vitest';
import { csvCell, toCsv } from '../src/lib/csv';

describe('csv', () => {
  it('quotes what needs quotes', () => {
    expect(csvCell('a,b')).toBe('"a,b"');
    expect(csvCell('say "x"')).toBe('"say ""x"""');
    expect(csvCell('two\nlines')).toBe('"two\nlines"');
  });
  it('disarms what a spreadsheet would run', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '\r=1']) {
      expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/);
    }
  });
  it('leaves numbers alone, also negative ones, and absent values empty', () => {
    expect(csvCell(-5)).toBe('-5');
    expect(csvCell(null)).toBe('');
    expect(csvCell(undefined)).toBe('');
  });
  it('has a header and CRLF line ends', () => expect(toCsv(['a', 'b'], [[1, 'x']])).toBe('a,b\r\n1,x\r\n'));
});
