import type { Interface, Machine } from '../../api/operations';
import { formatBitRate, formatBytes, formatNumber, si } from '../../lib/format';
import { memoryWords, share, usedInterfaces } from '../../lib/health';
import { Panel } from '../../components/Panel';
import { Meter, SeriesPanel } from './SeriesPanel';

const percent = share;
const kMost = 6;

export function ProcessorPanel({ machine }: { machine: Machine }) {
  const load = machine.load;
  return (
    <SeriesPanel
      title="Processors"
      note={
        load
          ? `load ${formatNumber(load.one)}, ${formatNumber(load.five)}, ${formatNumber(load.fifteen)}`
          : ''
      }
      wanted={[
        { name: 'cpu.usage', label: 'busy' },
        { name: 'cpu.iowait', label: 'waiting for disks' },
        { name: 'cpu.steal', label: 'taken by the host' },
      ]}
      format={percent}
      least={1}
    >
      <ul className="meter-list">
        {machine.cores.length === 0 && (
          <Meter label={`${machine.core_count} cores`} value={null} note="known after the second sample" />
        )}
        {machine.cores.slice(0, 16).map((core) => (
          <Meter
            key={core.number}
            label={`Core ${core.number}`}
            value={core.usage}
            calm
            note={core.steal > 0.01 ? `${share(core.steal)} taken by the host` : ''}
          />
        ))}
        {machine.cores.length > 16 && <li className="muted">and {machine.cores.length - 16} more cores</li>}
      </ul>
    </SeriesPanel>
  );
}

export function MemoryPanel({ machine }: { machine: Machine }) {
  const memory = machine.memory;
  const swapUsed = memory ? memory.swap_total_bytes - memory.swap_free_bytes : 0;
  return (
    <SeriesPanel
      title="Memory"
      note={memoryWords(machine)}
      wanted={[
        { name: 'memory.usage', label: 'memory' },
        ...(memory?.limit_bytes ? [{ name: 'memory_limit.usage', label: 'limit of this service' }] : []),
        ...(memory && memory.swap_total_bytes > 0 ? [{ name: 'swap.usage', label: 'swap' }] : []),
      ]}
      format={percent}
      least={1}
    >
      <ul className="meter-list">
        {memory && <Meter label="Memory" value={memory.usage} />}
        {memory?.limit_bytes != null && memory.limit_used_bytes != null && (
          <Meter
            label="Limit of this service"
            value={memory.limit_used_bytes / memory.limit_bytes}
            note={formatBytes(memory.limit_bytes)}
          />
        )}
        {memory && memory.swap_total_bytes > 0 && (
          <Meter
            label="Swap"
            value={swapUsed / memory.swap_total_bytes}
            note={formatBytes(memory.swap_total_bytes)}
          />
        )}
      </ul>
    </SeriesPanel>
  );
}

export function DiskPanel({ machine }: { machine: Machine }) {
  const whole = machine.disks.filter((disk) => !disk.is_partition).slice(0, kMost);
  return (
    <SeriesPanel
      title="Disks"
      note={whole
        .map(
          (disk) =>
            `${disk.name} reads ${si(disk.read_bytes_per_second ?? NaN, 'B/s')}, writes ${si(disk.written_bytes_per_second ?? NaN, 'B/s')}`,
        )
        .join('; ')}
      wanted={whole.map((disk) => ({ name: `disk.${disk.name}.busy`, label: `${disk.name} busy` }))}
      format={percent}
      least={1}
    >
      <ul className="meter-list">
        {machine.file_systems.map((system) => (
          <Meter
            key={system.mount_point}
            label={system.mount_point}
            value={system.usage}
            note={
              system.read_only
                ? 'read-only'
                : `${formatBytes(system.available_bytes)} of ${formatBytes(system.total_bytes)} left`
            }
          />
        ))}
      </ul>
    </SeriesPanel>
  );
}

function lossWords(one: Interface): string {
  const errors = one.received_errors + one.sent_errors;
  const drops = one.received_drops + one.sent_drops;
  if (errors + drops === 0) return 'no errors, no drops';
  return `${formatNumber(errors)} errors, ${formatNumber(drops)} drops since its start`;
}

// "up, 1 Gbit/s link: "; nothing where the system does not tell.
function linkWords(one: Interface): string {
  const words = [
    one.state === 'unknown' ? '' : one.state,
    one.bits_per_second ? `${formatBitRate(one.bits_per_second)} link` : '',
  ].filter(Boolean);
  return words.length > 0 ? `${words.join(', ')}: ` : '';
}

export function NetworkPanel({ machine }: { machine: Machine }) {
  const used = usedInterfaces(machine);
  const shown = (used.length > 0 ? used : machine.interfaces).slice(0, kMost);
  return (
    <SeriesPanel
      title="Network"
      note={
        shown.length < machine.interfaces.length
          ? `${shown.length} of ${machine.interfaces.length} interfaces`
          : ''
      }
      wanted={shown.flatMap((one) => [
        { name: `network.${one.name}.received_bytes_per_second`, label: `${one.name} received` },
        { name: `network.${one.name}.sent_bytes_per_second`, label: `${one.name} sent` },
      ])}
      format={(value) => formatBitRate(value * 8)}
    >
      <ul className="meter-list plain">
        {shown.map((one) => (
          <li key={one.name}>
            <strong className="mono">{one.name}</strong> {linkWords(one)}receives{' '}
            {formatBitRate((one.received_bytes_per_second ?? NaN) * 8)}, sends{' '}
            {formatBitRate((one.sent_bytes_per_second ?? NaN) * 8)}; {lossWords(one)}
          </li>
        ))}
      </ul>
    </SeriesPanel>
  );
}

export function SensorPanel({ machine }: { machine: Machine }) {
  return (
    <Panel title="Temperature">
      <ul className="meter-list plain">
        {machine.temperatures.map((one) => (
          <li key={one.name}>
            {one.name} <strong>{Math.round(one.celsius)} °C</strong>
            {one.critical_celsius ? (
              <span className="muted"> critical at {Math.round(one.critical_celsius)} °C</span>
            ) : (
              ''
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
