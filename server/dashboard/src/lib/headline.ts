import type { Alert, Capture, Sample } from '../api/types';
import { formatBitRate, plural } from './format';

// The answer to "is everything normal?", in words and numbers, before any chart.
export interface Headline {
  tone: 'good' | 'watch' | 'bad';
  word: string;
  text: string;
}

export interface Facts {
  live: boolean;
  capture: Capture | null;
  // One-second samples of the last minutes, oldest first; empty when the stream has not spoken yet.
  samples: Sample[];
  alerts: Alert[];
  // Over the whole range, for ranges that are not live.
  bytes: number;
  flows: number;
  seconds: number;
  // When the facts could not be renewed: the time that they are of, in words.
  asOf: string | null;
}

const kNowSeconds = 5;

// Over a few seconds: single ones jump too much to be read.
function perSecond(samples: Sample[], of: (sample: Sample) => number): number | null {
  const recent = samples.slice(-kNowSeconds);
  const seconds = recent.reduce((sum, s) => sum + s.seconds, 0);
  return seconds > 0 ? recent.reduce((sum, s) => sum + of(s), 0) / seconds : null;
}
export const rateNow = (samples: Sample[]) => perSecond(samples, (s) => s.wire_bytes * 8);
export const packetsNow = (samples: Sample[]) => perSecond(samples, (s) => s.packets);

// The rate that nine of ten seconds stayed below: "busy" is above it by a clear margin.
function usualHigh(samples: Sample[]): number | null {
  if (samples.length < 120) return null;
  const sorted = samples.map((s) => (s.wire_bytes * 8) / s.seconds).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.9)]!;
}

export function droppedText(capture: Capture | null): { lost: number; text: string } {
  if (!capture) return { lost: 0, text: 'drops not known yet' };
  const packets = capture.ledger.dropped;
  const flows = capture.store.flows_dropped;
  if (packets + flows === 0) return { lost: 0, text: 'nothing dropped' };
  const parts = [packets ? plural(packets, 'packet') : '', flows ? plural(flows, 'flow record') : ''];
  return { lost: packets + flows, text: `${parts.filter(Boolean).join(' and ')} dropped` };
}

export function headline(facts: Facts): Headline {
  const open = facts.alerts.filter((alert) => alert.state !== 'closed');
  const serious = open.filter((alert) => alert.severity === 'high' || alert.severity === 'critical');
  const dropped = droppedText(facts.capture);
  const alertText =
    open.length === 0
      ? 'no open alerts'
      : `${plural(open.length, 'open alert')}${serious.length > 0 ? ` (${serious.length} high or critical)` : ''}`;
  // A capture that has ended has no rate now, whatever its last seconds were.
  const now = facts.capture?.state === 'ended' ? null : rateNow(facts.samples);
  const rate =
    facts.live && now !== null
      ? `${formatBitRate(now)}${facts.asOf ? '' : ' now'}`
      : `${formatBitRate(facts.seconds > 0 ? (facts.bytes * 8) / facts.seconds : 0)} on average`;
  const text = `${rate}, ${alertText}, ${dropped.text}`;

  if (facts.capture?.state === 'failed') {
    return {
      tone: 'bad',
      word: 'Capture failed',
      text: facts.capture.message || `${facts.capture.source} cannot be read`,
    };
  }
  if (facts.asOf) return { tone: 'watch', word: `As of ${facts.asOf}`, text };
  if (dropped.lost > 0) return { tone: 'bad', word: 'Losing data', text };
  if (serious.length > 0) return { tone: 'bad', word: 'Needs attention', text };
  if (open.length > 0) return { tone: 'watch', word: 'Worth a look', text };
  if (facts.live && facts.capture?.state === 'ended') {
    // A file ends as it should; an interface does not.
    return { tone: facts.capture.kind === 'interface' ? 'watch' : 'good', word: 'Capture ended', text };
  }
  const high = usualHigh(facts.samples);
  if (facts.live && now !== null && high !== null && now > high * 1.8)
    return { tone: 'watch', word: 'Busier than usual', text };
  if (!facts.live && facts.flows === 0) {
    return { tone: 'good', word: 'Nothing recorded', text: `no flow ended in this range, ${alertText}` };
  }
  if (facts.flows === 0 && !(now && now > 0)) return { tone: 'good', word: 'Silent', text };
  return { tone: 'good', word: 'Quiet', text };
}
