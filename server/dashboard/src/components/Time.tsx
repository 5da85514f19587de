import { formatAbsolute, formatPrecise, formatRelative, parseTime, type Zone } from '../lib/time';

// Relative, with the absolute time on hover.
export function RelativeTime({ time, now, zone }: { time: string; now: number; zone: Zone }) {
  const ms = parseTime(time);
  // What happened after the last tick of the page's clock is not ahead of now.
  const seen = ms > now ? Math.max(now, Date.now()) : now;
  return (
    <time dateTime={time} title={formatPrecise(ms, zone)}>
      {formatRelative(ms, seen)}
    </time>
  );
}

export function AbsoluteTime({ time, now, zone }: { time: string; now: number; zone: Zone }) {
  const ms = parseTime(time);
  return (
    <time dateTime={time} title={formatRelative(ms, now)}>
      {formatAbsolute(ms, zone)}
    </time>
  );
}
