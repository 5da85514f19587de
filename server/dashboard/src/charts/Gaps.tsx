import { useId } from 'react';
import type { Gap } from '../lib/series';
import { formatAbsolute, formatClock, formatDate, type Zone } from '../lib/time';

type Scale = (time: number) => number;

// Where nothing is known the ground is hatched: an empty chart and a silent network must not look alike.
export function GapAreas({
  missing,
  x,
  top,
  bottom,
}: {
  missing: Gap[];
  x: Scale;
  top: number;
  bottom: number;
}) {
  const hatch = useId();
  if (missing.length === 0) return null;
  return (
    <g aria-hidden="true">
      <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line className="hatch" y2="6" />
      </pattern>
      {missing.map((gap) => (
        <rect
          key={gap.from}
          className="gap"
          fill={`url(#${hatch})`}
          x={x(gap.from)}
          y={top}
          width={Math.max(0, x(gap.to) - x(gap.from))}
          height={bottom - top}
        />
      ))}
    </g>
  );
}

export function gapText(gap: Gap, zone: Zone, seconds: boolean): string {
  const clock = (time: number) => formatClock(time, zone, seconds);
  const oneDay = formatDate(gap.from, zone) === formatDate(gap.to, zone);
  const edge = (time: number) => (oneDay ? clock(time) : formatAbsolute(time, zone));
  if (gap.side === 'before') return `No data before ${edge(gap.to)}`;
  if (gap.side === 'after') return `No data after ${edge(gap.from)}`;
  return `No data ${edge(gap.from)} – ${edge(gap.to)}`;
}

interface NotesProps {
  missing: Gap[];
  x: Scale;
  zone: Zone;
  reason: string;
  seconds: boolean;
  height: number;
}
const kLeastPx = 130;

export function GapNotes({ missing, x, zone, reason, seconds, height }: NotesProps) {
  return missing
    .filter((gap) => x(gap.to) - x(gap.from) >= kLeastPx)
    .map((gap) => (
      <p
        key={gap.from}
        className="gap-note"
        style={{ left: x(gap.from), width: x(gap.to) - x(gap.from), height }}
      >
        <span>
          {gapText(gap, zone, seconds)}: {reason}
        </span>
      </p>
    ));
}
