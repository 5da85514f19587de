import { isLive, resolveRange, type Range } from '../lib/time';

// How often a page asks again: often for the last minutes, seldom for days, never for what is over.
export function refreshMs(range: Range): number {
  if (!isLive(range)) return 0;
  const [since, until] = resolveRange(range, 0);
  const minutes = (until - since) / 60e3;
  return minutes <= 15 ? 5000 : minutes <= 60 ? 15_000 : minutes <= 360 ? 30_000 : 60_000;
}
