import { scaleLinear, scaleTime, scaleUtc } from 'd3-scale';
import { area, curveStepAfter, line } from 'd3-shape';
import { useId, useMemo, useRef, useState } from 'react';
import type { Alert } from '../api/types';
import { seriesClass } from '../lib/colors';
import { formatDuration, si, siShort } from '../lib/format';
import { gaps, guessAt, outline, stack, totals, type Shaped, type StackPoint } from '../lib/series';
import { formatAbsolute, formatClock, formatTick, type Zone } from '../lib/time';
import { useWidth } from '../state/hooks';
import { AlertMarks } from './AlertMarks';
import { GapAreas, GapNotes } from './Gaps';
import { Readout } from './Readout';
import { useBrush } from './useBrush';
import { useCursor } from './useCursor';
import { useScaleMax } from './useScaleMax';

interface Props {
  shaped: Shaped;
  domain: [number, number];
  zone: Zone;
  unit: string;
  name: string;
  // How a key of the series is written.
  nameOf: (key: string) => string;
  alerts: Alert[];
  // Everything that, when it changes, starts the vertical scale anew.
  scaleKey: string;
  live: boolean;
  height: number;
  highlight: string | null;
  // Why there can be stretches without data.
  gapReason: string;
  onZoom: (since: number, until: number) => void;
  onZoomOut: () => void;
  onAlert: (id: string) => void;
}

const kMargin = { top: 10, right: 1, bottom: 26, left: 1 };

export function TimeChart(props: Props) {
  const { shaped, domain, zone, unit, height, alerts, live } = props;
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const clip = useId();
  const [announced, setAnnounced] = useState('');

  const bottom = height - kMargin.bottom;
  const x = (zone === 'utc' ? scaleUtc() : scaleTime())
    .domain(domain)
    .range([kMargin.left, Math.max(2, width - kMargin.right)]);
  const sums = useMemo(() => totals(shaped), [shaped]);
  const peak = useMemo(() => sums.reduce<number>((most, v) => Math.max(most, v ?? 0), 0), [sums]);
  const { max, shrank } = useScaleMax(peak, props.scaleKey, live);
  const y = scaleLinear().domain([0, max]).range([bottom, kMargin.top]);
  const layers = useMemo(() => stack(shaped), [shaped]);
  const top = useMemo(() => outline(shaped), [shaped]);
  // While live the last second or two are always on their way.
  const missing = useMemo(
    () => gaps(shaped, domain[0], domain[1]).filter((gap) => !live || gap.side !== 'after'),
    [shaped, domain[0], domain[1], live],
  );

  const half = shaped.stepMs / 2;
  const stepPx = x(domain[0] + shaped.stepMs) - x(domain[0]);
  const shape = area<StackPoint | null>()
    .defined((p) => p !== null)
    .x((p) => x(p!.time))
    .y0((p) => y(p!.low))
    .y1((p) => y(p!.high))
    .curve(curveStepAfter);
  const edge = line<StackPoint | null>()
    .defined((p) => p !== null)
    .x((p) => x(p!.time))
    .y((p) => y(p!.high))
    .curve(curveStepAfter);

  const cursor = useCursor(shaped, x);
  const brush = useBrush({
    x,
    frame,
    onZoom: props.onZoom,
    onZoomOut: props.onZoomOut,
    onPoint: cursor.pointAt,
    onKeyMove: (step) => setAnnounced(describe(cursor.move(step))),
    keyTime: cursor.time,
  });

  function describe(index: number | null): string {
    if (index === null) return '';
    const values = shaped.keys.map((key) => {
      const value = shaped.values[key]![index];
      if (value === null || value === undefined) return `${props.nameOf(key)} no data`;
      const guess = guessAt(shaped, key, index);
      const words = guess === 0 ? '' : guess >= value ? ', a guess' : `, ${si(guess, unit)} of it a guess`;
      return `${props.nameOf(key)} ${si(value, unit)}${words}`;
    });
    return `${formatAbsolute(shaped.times[index]!, zone)}: ${values.join(', ')}`;
  }

  const ticks = x.ticks(Math.max(2, Math.floor(width / 96)));
  const tickStep = ticks.length > 1 ? ticks[1]!.getTime() - ticks[0]!.getTime() : 60e3;
  const levels = peak <= 0 ? [] : y.ticks(4).filter((level) => level > 0 && y(level) > kMargin.top + 4);
  const at = cursor.index;
  const span = brush.span;
  const spanPx = span ? Math.abs(x(span[1]) - x(span[0])) : 0;

  return (
    <div className="time-chart" ref={frame} style={{ height }}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          tabIndex={0}
          role="group"
          aria-roledescription="chart"
          data-points={shaped.times.length}
          data-last={shaped.times[shaped.times.length - 1]}
          {...brush.handlers}
          onPointerLeave={cursor.clear}
          onBlur={() => {
            cursor.clear();
            brush.cancel();
          }}
          aria-label={`${props.name}, ${formatAbsolute(domain[0], zone)} to ${formatAbsolute(domain[1], zone)}. Arrow keys read values, Enter twice selects a span to zoom into, minus zooms out.`}
        >
          <clipPath id={clip}>
            <rect x={0} y={0} width={width} height={bottom} />
          </clipPath>
          {levels.map((level) => (
            <line key={level} className="grid-line" x1={0} x2={width} y1={y(level)} y2={y(level)} />
          ))}
          <GapAreas missing={missing} x={x} top={kMargin.top} bottom={bottom} />
          <g clipPath={`url(#${clip})`} className={props.highlight ? 'has-highlight' : ''}>
            {layers.map(({ key, points, isGuess }) => (
              <path
                key={`${key}${isGuess ? '?' : ''}`}
                d={shape(points) ?? ''}
                className={`area ${seriesClass(key)} ${isGuess ? 'area-guess' : ''} ${props.highlight === key ? 'is-highlight' : ''}`}
              />
            ))}
            <path className={`area-outline ${stepPx < 4 ? 'is-fine' : ''}`} d={edge(top) ?? ''} />
            {shaped.filling && (
              <rect
                className="filling"
                x={x(shaped.filling.since)}
                y={0}
                width={Math.max(0, x(shaped.filling.until) - x(shaped.filling.since))}
                height={bottom}
              />
            )}
            {shaped.dropped.map((count, i) =>
              count > 0 ? (
                <rect
                  key={i}
                  className="drop-mark"
                  x={x(shaped.times[i]!)}
                  y={kMargin.top - 6}
                  width={Math.max(2, stepPx)}
                  height={4}
                >
                  <title>{`${count} packets dropped`}</title>
                </rect>
              ) : null,
            )}
          </g>
          {levels.map((level) => (
            <text key={level} className="level" x={4} y={y(level) - 4}>
              {siShort(level, unit)}
            </text>
          ))}
          <line className="axis-line" x1={0} x2={width} y1={bottom + 0.5} y2={bottom + 0.5} />
          {ticks.map((tick) => {
            const px = x(tick);
            const anchor = px < 24 ? 'start' : px > width - 24 ? 'end' : 'middle';
            return (
              <g key={tick.getTime()} transform={`translate(${px},${bottom})`}>
                <line className="axis-line" y2={4} />
                <text className="tick" y={18} textAnchor={anchor}>
                  {formatTick(tick.getTime(), tickStep, zone)}
                </text>
              </g>
            );
          })}
          {at !== null && (
            <line
              className="crosshair"
              x1={x(shaped.times[at]! + half)}
              x2={x(shaped.times[at]! + half)}
              y1={kMargin.top}
              y2={bottom}
            />
          )}
          {span && (
            <rect
              className="brush"
              x={Math.min(x(span[0]), x(span[1]))}
              y={kMargin.top}
              width={spanPx}
              height={bottom - kMargin.top}
            />
          )}
          <AlertMarks
            alerts={alerts}
            x={x}
            domain={domain}
            top={kMargin.top}
            bottom={bottom}
            zone={zone}
            onAlert={props.onAlert}
          />
        </svg>
      )}
      {peak > 0 && (
        <GapNotes
          missing={missing}
          x={x}
          zone={zone}
          reason={props.gapReason}
          seconds={shaped.stepMs < 60e3}
          height={bottom}
        />
      )}
      {shrank && (
        <div className="scale-note" role="status">
          scale shrank to {siShort(max, unit)}
        </div>
      )}
      {span && spanPx > 0 && (
        <div
          className="span-note"
          style={{ left: Math.max(110, Math.min(width - 110, (x(span[0]) + x(span[1])) / 2)) }}
        >
          {formatClock(Math.min(...span), zone)} – {formatClock(Math.max(...span), zone)},{' '}
          {formatDuration(Math.round(Math.abs(span[1] - span[0]) / 1000))}
        </div>
      )}
      {at !== null && width > 0 && !spanPx && (
        <Readout
          shaped={shaped}
          index={at}
          unit={unit}
          nameOf={props.nameOf}
          zone={zone}
          left={x(shaped.times[at]! + half)}
          width={width}
        />
      )}
      <div className="sr-only" aria-live="polite">
        {announced}
      </div>
    </div>
  );
}
