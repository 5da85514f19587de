import { characterAt } from './filter';

const kWidth = 72;

// The text with a mark under the place of the mistake, as two lines of one width.
export function underline(text: string, position: number): { line: string; mark: string } {
  const place = characterAt(text, position);
  // A long rule is shown around the mistake, and says where it was cut.
  const from = Math.max(0, Math.min(place - 40, text.length - kWidth));
  const shown = text.slice(from, from + kWidth).replace(/[\n\t]/g, ' ');
  const before = from > 0 ? '…' : '';
  const after = from + kWidth < text.length ? '…' : '';
  const mark = `${' '.repeat(before.length + Math.min(place - from, kWidth))}^`;
  return { line: `${before}${shown}${after}` || ' ', mark };
}
