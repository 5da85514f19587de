import { formatBitRate, formatBytes, formatCount, formatDuration, formatNumber, inWords, si } from './format';
import { formatPrecise, parseTime, type Zone } from './time';

// What a detector adds to an alert has keys of its own; their endings tell the unit.
const kNames = /^(?!distinct_|count_|number_)(?:.*_)?(port|vlan|id|type|code|number)$/;

function numberText(key: string, value: number): string {
  if (/bits_per_second$|_bps$/.test(key)) return formatBitRate(value);
  if (/bytes_per_second$/.test(key)) return si(value, 'B/s');
  if (/_per_second$/.test(key)) return `${formatNumber(value)}\u00a0/s`;
  if (/_per_minute$/.test(key)) return `${formatNumber(value)}\u00a0/min`;
  if (/(^|_)bytes$/.test(key)) return formatBytes(value);
  if (/(^|_)seconds$/.test(key)) return formatDuration(value);
  // A port is a name, not a quantity: no grouping of its digits.
  if (kNames.test(key)) return String(value);
  return Number.isInteger(value) ? formatCount(value) : formatNumber(value);
}

function text(key: string, value: unknown, zone: Zone): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return numberText(key, value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') {
    const time = parseTime(value);
    return Number.isFinite(time) ? formatPrecise(time, zone) : value;
  }
  return JSON.stringify(value);
}

// One value a line.
export function evidenceLines(key: string, value: unknown, zone: Zone): string[] {
  if (Array.isArray(value)) {
    const singular = key.replace(/s$/, '');
    return value.length > 0 ? value.map((one) => text(singular, one, zone)) : ['none'];
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([name, one]) => `${inWords(name)} ${text(name, one, zone)}`);
  }
  return [text(key, value, zone)];
}
