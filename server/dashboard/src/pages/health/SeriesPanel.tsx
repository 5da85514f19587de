import type { ReactNode } from 'react';
import { getHealthSeries } from '../../api/operations';
import { LineChart } from '../../charts/LineChart';
import { Panel, type TableView } from '../../components/Panel';
import { Loaded } from '../../components/States';
import { formatAbsolute, parseTime, resolveRange, type Zone } from '../../lib/time';
import { useQuery } from '../../state/query';
import { refreshMs } from '../../state/refresh';
import { useView, widen, zoomTo } from '../../state/view';
import type { HealthSeries } from '../../api/operations';

export interface Wanted {
  name: string;
  label: string;
}

interface Props {
  title: string;
  // How it is now, in words.
  note?: ReactNode;
  wanted: Wanted[];
  format: (value: number) => string;
  least?: number;
  className?: string;
  children?: ReactNode;
}

function toTable(title: string, series: HealthSeries, props: Props, zone: Zone): TableView {
  const times = [...new Set(series.lines.flatMap((one) => one.points.map((p) => p.time)))].sort();
  return {
    caption: title,
    header: ['Time', ...props.wanted.map((one) => one.label)],
    rows: times.map((time) => [
      formatAbsolute(parseTime(time), zone),
      ...props.wanted.map((one) => {
        const point = series.lines.find((l) => l.name === one.name)?.points.find((p) => p.time === time);
        return point ? props.format(point.mean) : '–';
      }),
    ]),
  };
}

// Words first, then how it went; the same numbers as a table behind the chart.
export function SeriesPanel(props: Props) {
  const { title, wanted, children, note } = props;
  const { range, zone } = useView();
  const names = wanted.map((one) => one.name);
  // A live range ends now: a day-long one need not be asked for every few seconds.
  const query = useQuery(
    names.length > 0 ? `health ${names.join()} ${range.since} ${range.until}` : null,
    (signal) => getHealthSeries(names, range, signal),
    Math.max(refreshMs(range), refreshMs(range) > 0 ? 30_000 : 0),
  );
  const data = query.data;
  return (
    <Panel
      title={title}
      note={note}
      className={props.className}
      table={data ? () => toTable(title, data, props, zone) : undefined}
    >
      {children}
      {names.length > 0 && (
        <Loaded query={query} skeleton={<div className="skeleton-line" style={{ height: 132 }} />}>
          {(series) => (
            <>
              <LineChart
                name={title}
                lines={wanted.map((one) => ({
                  ...one,
                  points: series.lines.find((l) => l.name === one.name)?.points ?? [],
                }))}
                domain={resolveRange(range, Date.now())}
                stepSeconds={series.step_seconds}
                zone={zone}
                format={props.format}
                least={props.least}
                onZoom={zoomTo}
                onZoomOut={widen}
              />
              {wanted.length > 1 && (
                <p className="line-legend">
                  {wanted.map((one, i) => (
                    <span key={one.name}>
                      <span className={`swatch series-${i % 10}`} />
                      {one.label}
                    </span>
                  ))}
                </p>
              )}
            </>
          )}
        </Loaded>
      )}
    </Panel>
  );
}

interface MeterProps {
  label: string;
  value: number | null;
  note?: string;
  // Full for a moment is how it is meant to be used.
  calm?: boolean;
}

// A share as a bar with its number: how full, how busy.
export function Meter({ label, value, note, calm }: MeterProps) {
  const part = Math.max(0, Math.min(1, value ?? 0));
  const tone = calm ? '' : part >= 0.97 ? 'bad' : part >= 0.9 ? 'watch' : '';
  return (
    <li className="meter">
      <span className="meter-label" title={label}>
        {label}
      </span>
      <span className="meter-note muted">{note}</span>
      <span className="meter-value">
        {value === null ? '–' : `${(part * 100).toFixed(part < 0.0995 ? 1 : 0)}\u00a0%`}
      </span>
      <span className="meter-bar">
        <span className={tone} style={{ width: `${part * 100}%` }} />
      </span>
    </li>
  );
}
