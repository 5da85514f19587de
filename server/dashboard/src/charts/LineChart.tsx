import { scaleLinear, scaleTime, scaleUtc } from 'd3-scale';
import { area, line } from 'd3-shape';
import { useMemo, useRef, useState } from 'react';
import type { SamplePoint } from '../api/operations';
import { formatAbsolute, formatTick, parseTime, type Zone } from '../lib/time';
import { useWidth } from '../state/hooks';
import { useBrush } from './useBrush';

export interface ChartLine {
  name: string;
  label: string;
  points: SamplePoint[];
}

interface Props {
  name: string;
  lines: ChartLine[];
  domain: [number, number];
  stepSeconds: number;
  zone: Zone;
  format: (value: number) => string;
  // The least that the scale reaches: 1 for shares, so that 2 % does not look like an alarm.
  least?: number;
  height?: number;
  onZoom: (since: number, until: number) => void;
  onZoomOut: () => void;
}

type Point = { time: number; low: number; mean: number; high: number };
const kMargin = { top: 10, bottom: 24 };

// A point for each step; null where nothing was measured, so that a gap stays one.
function withGaps(points: SamplePoint[], stepMs: number): (Point | null)[] {
  const result: (Point | null)[] = [];
  let last = -Infinity;
  for (const point of points) {
    const time = parseTime(point.time);
    if (time - last > stepMs * 1.5 && result.length > 0) result.push(null);
    result.push({ time: time + stepMs / 2, low: point.minimum, mean: point.mean, high: point.maximum });
    last = time;
  }
  return result;
}

// Means as lines, from minimum to maximum as a band. Brushing zooms every chart of the page.
export function LineChart(props: Props) {
  const { lines, domain, zone, format, height = 132 } = props;
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [cursor, setCursor] = useState<number | null>(null);
  const stepMs = props.stepSeconds * 1000;
  const shaped = useMemo(() => lines.map((one) => withGaps(one.points, stepMs)), [lines, stepMs]);
  const times = useMemo(
    () =>
      [...new Set(shaped.flatMap((one) => one.flatMap((p) => (p ? [p.time] : []))))].sort((a, b) => a - b),
    [shaped],
  );
  const most = Math.max(props.least ?? 0, ...shaped.flatMap((one) => one.map((p) => p?.high ?? 0)));
  const bottom = height - kMargin.bottom;
  const x = (zone === 'utc' ? scaleUtc() : scaleTime()).domain(domain).range([1, Math.max(2, width - 1)]);
  const y = scaleLinear()
    .domain([0, most || 1])
    .nice(3)
    .range([bottom, kMargin.top]);
  const nearest = (time: number) =>
    times.length === 0
      ? null
      : times.reduce((best, t, i) => (Math.abs(t - time) < Math.abs(times[best]! - time) ? i : best), 0);
  const brush = useBrush({
    x,
    frame,
    onZoom: props.onZoom,
    onZoomOut: props.onZoomOut,
    onPoint: (px) => setCursor(nearest(x.invert(px).getTime())),
    onKeyMove: (step) =>
      setCursor((at) =>
        times.length === 0 ? null : Math.max(0, Math.min(times.length - 1, (at ?? times.length - 1) + step)),
      ),
    keyTime: () => (cursor === null ? null : (times[cursor] ?? null)),
  });
  const at = cursor === null ? null : (times[cursor] ?? null);
  const readings =
    at === null
      ? []
      : lines.flatMap((one, i) => {
          const point = shaped[i]!.find((p) => p?.time === at);
          return point ? [{ label: one.label, index: i, point }] : [];
        });
  const band = area<Point | null>()
    .defined((p) => p !== null)
    .x((p) => x(p!.time))
    .y0((p) => y(p!.low))
    .y1((p) => y(p!.high));
  const path = line<Point | null>()
    .defined((p) => p !== null)
    .x((p) => x(p!.time))
    .y((p) => y(p!.mean));
  const ticks = x.ticks(Math.max(2, Math.floor(width / 110)));
  const tickStep = ticks.length > 1 ? ticks[1]!.getTime() - ticks[0]!.getTime() : 60e3;
  const levels = y.ticks(3).filter((level) => level > 0);
  const span = brush.span;
  return (
    <div className="time-chart line-chart" ref={frame} style={{ height }}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          tabIndex={0}
          role="group"
          aria-roledescription="chart"
          data-points={times.length}
          aria-label={`${props.name}. Arrow keys read values, Enter twice selects a span to zoom into, minus zooms out.`}
          {...brush.handlers}
          onPointerLeave={() => setCursor(null)}
          onBlur={() => {
            setCursor(null);
            brush.cancel();
          }}
        >
          {levels.map((level) => (
            <g key={level}>
              <line className="grid-line" x1={0} x2={width} y1={y(level)} y2={y(level)} />
              <text className="level" x={4} y={y(level) - 4}>
                {format(level)}
              </text>
            </g>
          ))}
          {shaped.map((points, i) => (
            <g key={lines[i]!.name} className={`series-${i % 10}`}>
              <path className="line-band" d={band(points) ?? ''} />
              <path className="line-mean" d={path(points) ?? ''} />
              {points.map((p, k) =>
                p && !points[k - 1] && !points[k + 1] ? (
                  <circle key={k} className="line-dot" cx={x(p.time)} cy={y(p.mean)} r={2} />
                ) : null,
              )}
            </g>
          ))}
          <line className="axis-line" x1={0} x2={width} y1={bottom + 0.5} y2={bottom + 0.5} />
          {ticks.map((tick) => {
            const px = x(tick);
            const anchor = px < 24 ? 'start' : px > width - 24 ? 'end' : 'middle';
            return (
              <text key={tick.getTime()} className="tick" x={px} y={bottom + 17} textAnchor={anchor}>
                {formatTick(tick.getTime(), tickStep, zone)}
              </text>
            );
          })}
          {at !== null && <line className="crosshair" x1={x(at)} x2={x(at)} y1={kMargin.top} y2={bottom} />}
          {span && (
            <rect
              className="brush"
              x={Math.min(x(span[0]), x(span[1]))}
              y={kMargin.top}
              width={Math.abs(x(span[1]) - x(span[0]))}
              height={bottom - kMargin.top}
            />
          )}
        </svg>
      )}
      {times.length === 0 && width > 0 && (
        <p className="line-empty muted">Nothing was measured in this range.</p>
      )}
      {readings.length > 0 && at !== null && (
        <div
          className="line-readout"
          role="status"
          style={x(at) > width / 2 ? { right: width - x(at) + 8 } : { left: x(at) + 8 }}
        >
          <p className="muted">{formatAbsolute(at - stepMs / 2, zone)}</p>
          {readings.map(({ label, index, point }) => (
            <p key={label}>
              <span className={`swatch series-${index % 10}`} />
              {label} <strong>{format(point.mean)}</strong>
              {point.high - point.low > 1e-9 && (
                <span className="muted">
                  {' '}
                  {format(point.low)} to {format(point.high)}
                </span>
              )}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}
