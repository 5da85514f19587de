import { getStreamTicket } from '../api/endpoints';
import { toProblem } from '../api/problem';
import type { Alert, Capture, Sample, Talker } from '../api/types';
import { parseTime } from '../lib/time';
import { createStore } from './store';

// What the stream told us. Kept for an hour, so that zooming into the recent past has one-second detail.
const kKeepSamples = 3600;

export interface Live {
  status: 'connecting' | 'open' | 'lost';
  // While lost: since when, and when the next attempt is due.
  lostAt: number | null;
  retryAt: number | null;
  samples: Sample[];
  capture: Capture | null;
  talkers: Talker[];
  alerts: Alert[];
  // Events the server left out because this page was too slow.
  missed: number;
  // The server's clock minus ours, where it matters.
  clockOffsetMs: number;
}

const kEmpty: Live = {
  status: 'connecting',
  lostAt: null,
  retryAt: null,
  samples: [],
  capture: null,
  talkers: [],
  alerts: [],
  missed: 0,
  clockOffsetMs: 0,
};
export const live = createStore<Live>(kEmpty);

export function mergeSamples(known: Sample[], fresh: Sample[]): Sample[] {
  const last = known[known.length - 1];
  const inOrder = !last || fresh.every((s, i) => s.time > (i === 0 ? last.time : fresh[i - 1]!.time));
  if (inOrder) return [...known, ...fresh].slice(-kKeepSamples);
  const byTime = new Map([...known, ...fresh].map((sample) => [sample.time, sample]));
  return [...byTime.values()].sort((a, b) => (a.time < b.time ? -1 : 1)).slice(-kKeepSamples);
}

// How far the server's clock is ahead of ours, from the samples as they arrive. A sample on a quiet link comes late, which
// looks like a slow clock: the earliest arrival is the truest. Less than some seconds does not matter; more
// than an hour is no clock but a recording with the times of its own day.
export class ClockOffset {
  private best = -Infinity;

  observe(sampleTime: string, now: number): number {
    this.best = Math.max(this.best, parseTime(sampleTime) + 1000 - now);
    return Math.abs(this.best) > 3000 && Math.abs(this.best) < 3600e3 ? this.best : 0;
  }
}

const patch = (change: Partial<Live>) => live.set({ ...live.get(), ...change });

class Stream {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private running = false;
  private clock = new ClockOffset();
  // Counts the starts: what was begun before the last stop must not come to life after it.
  private generation = 0;

  start(): void {
    if (this.running) return;
    this.running = true;
    this.generation += 1;
    this.clock = new ClockOffset();
    window.addEventListener('online', this.now);
    void this.open();
  }

  stop(): void {
    this.running = false;
    window.removeEventListener('online', this.now);
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    live.set(kEmpty);
  }

  private readonly now = () => {
    if (this.running && live.get().status === 'lost') {
      clearTimeout(this.timer);
      void this.open();
    }
  };

  private async open(): Promise<void> {
    const generation = this.generation;
    const current = () => this.running && generation === this.generation;
    try {
      const ticket = await getStreamTicket();
      if (!current()) return;
      // A ticket opens one stream once: EventSource must not reconnect by itself, hence close() on error.
      const source = new EventSource(`/api/v1/stream?ticket=${encodeURIComponent(ticket)}`);
      this.source = source;
      source.onerror = () => {
        source.close();
        if (this.source === source) this.lose();
      };
      this.listen(source);
    } catch (error) {
      if (!current()) return;
      const problem = toProblem(error);
      // A dead session ends the page by itself; anything else is worth another try.
      if (problem.kind !== 'signed_out') this.lose(problem.retryAfterSeconds);
    }
  }

  private lose(afterSeconds?: number): void {
    const delay = afterSeconds ? afterSeconds * 1000 : Math.min(30_000, 1000 * 2 ** this.attempt);
    this.attempt += 1;
    patch({ status: 'lost', lostAt: live.get().lostAt ?? Date.now(), retryAt: Date.now() + delay });
    this.timer = setTimeout(() => void this.open(), delay);
  }

  private listen(source: EventSource): void {
    const on = <T>(name: string, handle: (data: T) => void) =>
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data) as T));
    on<{ capture: Capture; samples: Sample[] }>('hello', ({ capture, samples }) => {
      this.attempt = 0;
      patch({
        status: 'open',
        lostAt: null,
        retryAt: null,
        capture,
        samples: mergeSamples(live.get().samples, samples),
      });
    });
    on<Sample>('sample', (sample) =>
      patch({
        samples: mergeSamples(live.get().samples, [sample]),
        clockOffsetMs: this.clock.observe(sample.time, Date.now()),
      }),
    );
    on<{ talkers: Talker[] }>('talkers', ({ talkers }) => patch({ talkers }));
    on<Alert>('alert', (alert) => patch({ alerts: [...live.get().alerts, alert].slice(-500) }));
    on<Capture>('capture', (capture) => patch({ capture }));
    on<{ lost: number }>('gap', ({ lost }) => patch({ missed: live.get().missed + lost }));
  }
}

export const stream = new Stream();
export const serverNow = () => Date.now() + live.get().clockOffsetMs;
