import { scaleLinear } from 'd3-scale';
import { useRef, useState } from 'react';
import type { PacketSample } from '../api/types';
import { DataTable } from '../components/Panel';
import { Icon } from '../components/Icon';
import { plural } from '../lib/format';
import { nanoseconds } from '../lib/statistics';
import { useWidth } from '../state/hooks';

const kHeight = 112;
const kFoot = 18;

const words = (sample: PacketSample) =>
  `${sample.is_forward ? 'forward' : 'reverse'}, ${sample.ip_bytes} B (${sample.payload_bytes} B of payload)`;
const since = (sample: PacketSample) => `+${nanoseconds(Math.max(0, sample.offset))}`;

// The first packets in their order: upward what the source sent, downward what came back, as high as the packet is long. The
// strong part is payload. Times stand below, because most gaps are too short and some too long for one scale.
export function PacketChart({ samples }: { samples: PacketSample[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [at, setAt] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const most = samples.reduce((max, s) => Math.max(max, s.ip_bytes), 1);
  const middle = (kHeight - kFoot) / 2;
  const size = scaleLinear()
    .domain([0, most])
    .range([0, middle - 4]);
  const step = Math.min(28, width / Math.max(1, samples.length));
  const bar = Math.max(1, step - Math.min(3, step / 4));
  const shown = at === null ? null : (samples[at] ?? null);
  const move = (by: number) =>
    setAt((now) => Math.max(0, Math.min(samples.length - 1, now === null ? 0 : now + by)));
  const last = samples[samples.length - 1]!;
  return (
    <section aria-label="First packets" className="packet-chart">
      <div className="packet-chart-head">
        <h3>First {plural(samples.length, 'packet')}</h3>
        <button
          type="button"
          className="icon-button"
          aria-pressed={asTable}
          aria-label={`Show first packets as ${asTable ? 'chart' : 'table'}`}
          onClick={() => setAsTable(!asTable)}
        >
          <Icon name={asTable ? 'chart' : 'table'} />
        </button>
      </div>
      <div ref={frame}>
        {asTable ? (
          <DataTable
            table={{
              caption: 'First packets',
              header: ['After', 'Direction', 'IP', 'Payload'],
              rows: samples.map((s) => [
                since(s),
                s.is_forward ? '→' : '←',
                `${s.ip_bytes} B`,
                `${s.payload_bytes} B`,
              ]),
            }}
          />
        ) : (
          <svg
            width={width}
            height={kHeight}
            tabIndex={0}
            role="group"
            aria-roledescription="chart"
            aria-label="Sizes of the first packets, upward forward, downward reverse. Arrow keys read them."
            onPointerMove={(event) => {
              const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
              const index = Math.floor(x / step);
              setAt(index >= 0 && index < samples.length ? index : null);
            }}
            onPointerLeave={() => setAt(null)}
            onBlur={() => setAt(null)}
            onKeyDown={(event) => {
              if (event.key === 'ArrowRight') move(1);
              else if (event.key === 'ArrowLeft') move(-1);
              else return;
              event.preventDefault();
            }}
          >
            {at !== null && (
              <rect className="packet-cursor" x={at * step} y={0} width={step} height={kHeight - kFoot} />
            )}
            {samples.map((sample, i) => {
              const whole = Math.max(1, size(sample.ip_bytes));
              const payload = size(Math.min(sample.payload_bytes, sample.ip_bytes));
              const x = i * step + (step - bar) / 2;
              const side = sample.is_forward ? 'forward' : 'reverse';
              const y = (height: number) => (sample.is_forward ? middle - height : middle);
              return (
                <g key={i} className={`packet packet-${side}`}>
                  <rect className="packet-whole" x={x} y={y(whole)} width={bar} height={whole} />
                  <rect x={x} y={y(payload)} width={bar} height={payload} />
                </g>
              );
            })}
            <line className="axis-line" x1={0} x2={width} y1={middle} y2={middle} />
            <text className="tick" x={0} y={kHeight - 4}>
              {shown ? `${at! + 1}. ${since(shown)}` : '+0 s'}
            </text>
            <text className="tick" x={width} y={kHeight - 4} textAnchor="end">
              {shown ? words(shown) : samples.length > 1 ? since(last) : ''}
            </text>
          </svg>
        )}
      </div>
      <div className="sr-only" aria-live="polite">
        {shown ? `${since(shown)}, ${words(shown)}` : ''}
      </div>
    </section>
  );
}
