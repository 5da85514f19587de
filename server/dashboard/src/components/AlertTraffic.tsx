import { getSeries } from '../api/endpoints';
import type { Alert } from '../api/types';
import { useWidth } from '../state/hooks';
import { useQuery } from '../state/query';
import { useRef } from 'react';
import { clause, fromPills } from '../lib/filter';
import { si } from '../lib/format';
import { absoluteRange, formatClock, parseTime, type Zone } from '../lib/time';

const kHeight = 72;
const kBefore = 30 * 60_000;
const kAfter = 15 * 60_000;

// The traffic of the alert's parties around it, a bar a minute; the minutes that the alert is about stand out.
export function AlertTraffic({ alert, zone }: { alert: Alert; zone: Zone }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const time = parseTime(alert.time);
  const told = alert.first_seen ? parseTime(alert.first_seen) : 0;
  // 1970 is how a detector says that it does not say.
  const start = told > 0 ? told : time - (alert.window_seconds ?? 60) * 1000;
  const { source, destination } = alert.entity ?? {};
  const where = fromPills([
    source ? clause('host', source) : '',
    destination ? clause('host', destination) : '',
  ]);
  const range = absoluteRange(Math.max(start, time - 6 * 3_600_000) - kBefore, time + kAfter);
  const measure = alert.unit.startsWith('byte') || alert.unit === 'bit/s' ? 'bytes' : 'flows';
  const query = useQuery(where ? `alert-traffic ${where} ${range.since} ${measure}` : null, (signal) =>
    getSeries({ ...range, where, measure, by: 'none', step: 60 }, signal),
  );
  const times = query.data?.times ?? [];
  const values = query.data?.series[0]?.values ?? [];
  // Hosts that are only known from a log or from sign-ins have no flows: nothing to draw.
  if (!where || (query.data && !values.some((value) => value))) return null;
  const most = Math.max(1, ...values.map((v) => v ?? 0));
  const step = width / Math.max(1, times.length);
  return (
    <figure className="alert-traffic">
      <figcaption className="muted">
        {measure === 'bytes' ? 'Bytes' : 'Flows'} of these hosts a minute, at most{' '}
        {measure === 'bytes' ? si(most, 'B') : most}
      </figcaption>
      <div ref={frame} style={{ height: kHeight }} aria-busy={query.loading && !query.data}>
        <svg width={width} height={kHeight} role="img" aria-label="Traffic around the alert">
          {values.map((value, i) => {
            const at = parseTime(times[i]!);
            const inside = at + 60_000 > start && at <= time;
            const height = ((value ?? 0) / most) * (kHeight - 4);
            return (
              <rect
                key={i}
                className={inside ? 'is-alert' : ''}
                x={i * step}
                y={kHeight - height}
                width={Math.max(1, step - 1)}
                height={height}
              >
                <title>{`${formatClock(at, zone)}: ${value ?? 'not captured'}`}</title>
              </rect>
            );
          })}
        </svg>
      </div>
    </figure>
  );
}
