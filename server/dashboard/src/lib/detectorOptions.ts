import type { DetectorOption, OptionValue } from '../api/types';
import { formatDuration, formatNumber } from './format';

export const isList = (option: DetectorOption) => Array.isArray(option.default);

// As it stands in its field.
export const toDraft = (value: OptionValue): string =>
  Array.isArray(value) ? value.join('\n') : String(value);

export function fromDraft(option: DetectorOption, draft: string): OptionValue | string {
  const text = draft.trim();
  if (option.kind === 'flag') return text === 'true';
  if (isList(option)) return text.split(/[\s,]+/).filter(Boolean);
  const value = Number(text);
  const { least = -Infinity, most = Infinity } = option;
  if (text === '' || !Number.isFinite(value) || value < least || value > most)
    return `is a number from ${least} to ${most}`;
  if (option.kind === 'count' && !Number.isInteger(value)) return 'is a whole number';
  return value;
}

export function defaultInWords(option: DetectorOption): string {
  const value = option.default;
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return option.kind === 'seconds' ? formatDuration(value) : formatNumber(value);
}

const kUnits: Partial<Record<DetectorOption['kind'], string>> = {
  seconds: 's',
  networks: 'one a line',
  ports: 'one a line',
  domains: 'one a line',
  files: 'absolute paths on the server, one a line',
  entries: 'one a line',
};
export const unitOf = (option: DetectorOption) => kUnits[option.kind] ?? '';

// What has to be sent: null puts the default back.
export function changesOf(
  options: DetectorOption[],
  drafts: Record<string, string>,
): Record<string, OptionValue | null> | { wrong: string } {
  const changes: Record<string, OptionValue | null> = {};
  for (const option of options) {
    const draft = drafts[option.name] ?? '';
    if (draft.trim() === toDraft(option.value)) continue;
    if (draft.trim() === toDraft(option.default)) {
      changes[option.name] = null;
      continue;
    }
    const value = fromDraft(option, draft);
    if (typeof value === 'string') return { wrong: `${option.name.replaceAll('_', ' ')} ${value}.` };
    changes[option.name] = value;
  }
  return changes;
}
