import type { Answered, CaptureCounts } from '../api/types';
import { formatCount, plural } from './format';

// What was lost on the way into an answer, in words; null when nothing was.
export function lossText(counts: CaptureCounts): string | null {
  const parts = [
    counts.packets_dropped > 0 ? `${plural(counts.packets_dropped, 'packet')} dropped` : '',
    counts.flows_evicted > 0 ? `${plural(counts.flows_evicted, 'flow')} cut short` : '',
    counts.flows_dropped > 0 ? `${plural(counts.flows_dropped, 'flow')} not stored` : '',
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : null;
}

// How an answer came about: from which data, and how much of the traffic it knows.
export function coverageText({ source, capture }: Answered): string {
  const seen = capture
    ? `${formatCount(capture.packets_seen)} packets seen, ${lossText(capture) ?? 'none dropped'}`
    : '';
  return [source, seen].filter(Boolean).join(' · ');
}

export const kSourceHelp: Record<string, string> = {
  rollup: 'Answered from totals per minute, quarter of an hour, hour or day',
  raw: 'Answered from the flows themselves',
  live: 'One second of detail, from the stream',
};
