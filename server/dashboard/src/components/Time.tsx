import { formatAbsolute, formatPrecise, formatRelative, parseTime, type Zone } from '../lib/time';

// Relative, with the absolute time on hover.
export function RelativeTime({ time, now, zone }: { time: string; now: number; zone: Zone }) {
  const ms = parseTime(time);
  return (
    <time dateTime={time} title={formatPrecise(ms, zone)}>
      {formatRelative(ms, now)}
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
