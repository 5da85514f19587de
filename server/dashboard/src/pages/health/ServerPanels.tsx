import type { Health, Machine } from '../../api/operations';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPacketRate,
  formatPercent,
  plural,
  si,
} from '../../lib/format';
import { share } from '../../lib/health';
import { Meter, SeriesPanel } from './SeriesPanel';

const percent = (value: number) => formatPercent(value, 1);
const lostWords = (rate: number, word: string) =>
  rate > 0 ? `${si(rate, 'flows/s')} ${word}` : `none ${word}`;

// From the wire to the disk, stage by stage: how fast, how full, what is lost.
export function PipelinePanel({ pipeline }: { pipeline: Record<string, number> }) {
  const value = (name: string) => pipeline[name] ?? NaN;
  const lag = pipeline.lag_seconds;
  return (
    <SeriesPanel
      title="Pipeline"
      note={
        lag === undefined
          ? ''
          : lag < 2
            ? 'keeps up with the clock'
            : `${formatDuration(lag)} behind the clock`
      }
      wanted={[
        { name: 'pipeline.flow_table_fill', label: 'flow table' },
        { name: 'pipeline.store_queue_fill', label: 'queue before the disk' },
        { name: 'pipeline.loss', label: 'packets lost' },
      ]}
      format={percent}
      least={0.02}
    >
      <ul className="meter-list">
        <Meter
          label="Packets lost"
          value={pipeline.loss ?? null}
          note={`${formatPacketRate(value('packets_per_second'))} seen`}
        />
        <Meter
          label="Flow table"
          value={pipeline.flow_table_fill ?? null}
          note={`${plural(Math.round(value('flows_active')), 'flow')}, ${lostWords(value('evictions_per_second'), 'evicted')}`}
        />
        <Meter
          label="Queue before the disk"
          value={pipeline.store_queue_fill ?? null}
          note={`${si(value('flows_stored_per_second'), 'flows/s')} stored, ${lostWords(value('flows_dropped_per_second'), 'lost')}`}
        />
      </ul>
    </SeriesPanel>
  );
}

export function ApiPanel({ api }: { api: Health['api'] }) {
  const all = api.since_start;
  return (
    <SeriesPanel
      title="API"
      note={`${formatCount(all.requests)} requests since the start, ${api.server_errors === 0 ? 'none' : formatCount(api.server_errors)} failed`}
      wanted={[
        { name: 'api.latency_p50_seconds', label: 'half within' },
        { name: 'api.latency_p99_seconds', label: '99 of 100 within' },
      ]}
      format={formatDuration}
    >
      <ul className="meter-list plain">
        {api.slowest.slice(0, 3).map((one) => (
          <li key={one.route}>
            <span className="mono">{one.route}</span>: half within {formatDuration(one.latency.p50_seconds)},
            99 of 100 within <strong>{formatDuration(one.latency.p99_seconds)}</strong>
          </li>
        ))}
      </ul>
    </SeriesPanel>
  );
}

export function ProcessPanel({ machine }: { machine: Machine }) {
  const process = machine.process;
  return (
    <SeriesPanel
      title="This server"
      note={process?.age_seconds != null ? `running for ${formatDuration(process.age_seconds)}` : ''}
      wanted={[{ name: 'process.resident_bytes', label: 'memory' }]}
      format={formatBytes}
    >
      {process && (
        <ul className="meter-list plain">
          <li>
            {formatBytes(process.resident_bytes)} of memory, {process.threads} threads
            {process.cpu != null && <>, {share(process.cpu)} of a core</>}
            {process.open_files != null && (
              <>
                , {formatCount(process.open_files)} of {formatCount(process.open_files_limit ?? NaN)} files
                open
              </>
            )}
          </li>
        </ul>
      )}
    </SeriesPanel>
  );
}
