import { characterAt } from './filter';

// The text with a mark under the place of the mistake, as two lines of one width.
export function underline(text: string, position: number): { line: string; mark: string } {
  const place = characterAt(text, position);
  // A long rule is shown around the mistake.
  const from = Math.max(0, place - 40);
  const line = text.slice(from, from + 72).replace(/[\n\t]/g, ' ');
  return { line: line || ' ', mark: `${' '.repeat(Math.min(place - from, 72))}^` };
}
