import type { Top, TopRow, Totals } from '../api/types';
import { applicationName, categoryName } from './applications';
import { formatPercent, protocolName } from './format';
import { compareKeys } from './series';

// What a stack of traffic can be made of, and how each kind of part is called and filtered by.
export type Mix = 'protocol' | 'application' | 'category';

interface MixWords {
  label: string;
  many: string;
  field: string;
  name: (key: string) => string;
}
export const kMixes: Record<Mix, MixWords> = {
  protocol: { label: 'Protocol', many: 'Protocols', field: 'proto', name: protocolName },
  application: { label: 'Application', many: 'Applications', field: 'app', name: applicationName },
  category: { label: 'Category', many: 'Categories', field: 'category', name: categoryName },
};
export const toMix = (text: string, fallback: Mix = 'protocol'): Mix =>
  text in kMixes ? (text as Mix) : fallback;

// "other" is a sum of many: no filter selects it.
export const canFilter = (key: string) => key !== 'other' && key !== 'total';

export interface Part extends TopRow {
  name: string;
}

// Nothing in the traffic confirms it.
export const isGuess = ({ guessed, bytes }: TopRow) => bytes > 0 && (guessed?.bytes ?? 0) >= bytes;

export function guessWords(row: TopRow): string {
  if (!row.guessed?.bytes) return '';
  if (isGuess(row)) return ', a guess';
  // In one piece: there is not room for all of it in a line.
  const words = `${formatPercent(row.guessed.bytes, row.bytes)} guessed`;
  return `, ${words.replaceAll(' ', '\u00a0')}`;
}

// The busiest, in the order and the colours of the chart beside; what is left over is told as well, so that the shares add
// up: flows of which nothing is known, and the sum of all that found no row.
export function parts(top: Top, mix: Mix, limit: number): Part[] {
  const words = kMixes[mix];
  const rows = top.rows.map((row) => ({ ...row, name: words.name(row.key) }));
  if (mix === 'protocol') return rows.sort((a, b) => compareKeys(a.name, b.name));
  const left = (of: keyof Totals) => top.total[of] - rows.reduce((sum, row) => sum + row[of], 0);
  for (const [key, sum] of [
    ['unknown', (of: keyof Totals) => top.other?.[of] ?? (top.rows.length < limit ? left(of) : 0)],
    ['other', left],
  ] as const) {
    const part = { key, name: key, bytes: sum('bytes'), packets: sum('packets'), flows: sum('flows') };
    if (part.bytes > 0 && !rows.some((row) => row.key === key)) rows.push(part);
  }
  return rows.sort((a, b) => leftOver(a.key) - leftOver(b.key) || b.bytes - a.bytes);
}
const leftOver = (key: string) => (key === 'other' ? 2 : key === 'unknown' ? 1 : 0);
