import type { ReactNode } from 'react';
import type { Flow, FlowOrder } from '../api/types';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatTcpFlags,
  inWords,
  protocolName,
  serviceName,
} from '../lib/format';
import { flowBytes, flowPackets, flowSeconds } from '../lib/flows';
import { categoryName, nameOf } from '../lib/applications';
import { seriesClass } from '../lib/colors';
import { visible } from '../lib/text';
import type { Zone } from '../lib/time';
import { ApplicationValue } from './ApplicationValue';
import { HostileText } from './HostileText';
import { FilterValue } from './Value';
import { AbsoluteTime, RelativeTime } from './Time';

export interface CellContext {
  now: number;
  zone: Zone;
}

export interface FlowColumn {
  id: string;
  label: string;
  width: number;
  number?: boolean;
  // Where the room is short the highest goes first; a column without one stays.
  hides?: number;
  // The server can order by this column; the first is what a first click asks for.
  orders?: FlowOrder[];
  cell: (flow: Flow, context: CellContext) => ReactNode;
}

export function Port({ port, field }: { port: number; field: string }) {
  if (!port) return null;
  const service = serviceName(port);
  return (
    <FilterValue field={field} value={port} inTable className="mono port">
      {port}
      {service && <span className="service"> {service}</span>}
    </FilterValue>
  );
}

// The name asked for filters; a name that the address was known by is only shown.
function NameCell({ flow }: { flow: Flow }) {
  const asked = flow.metadata?.server_name;
  const name = nameOf(flow);
  if (!name) return <span className="muted">–</span>;
  if (!asked) return <HostileText text={name} className="muted" />;
  return (
    <FilterValue field="server_name" value={asked} inTable note={visible(asked)}>
      <HostileText text={asked} />
    </FilterValue>
  );
}

const address = (field: 'src' | 'dst', value: string) => (
  <FilterValue field={field} value={value} inTable className="mono">
    {value}
  </FilterValue>
);

export const kFlowColumns: FlowColumn[] = [
  {
    id: 'last_seen',
    label: 'Last seen',
    width: 112,
    orders: ['-last_seen', 'last_seen'],
    cell: (f, c) => <RelativeTime time={f.last_seen} now={c.now} zone={c.zone} />,
  },
  {
    id: 'first_seen',
    label: 'First seen',
    width: 176,
    hides: 12,
    cell: (f, c) => <AbsoluteTime time={f.first_seen} now={c.now} zone={c.zone} />,
  },
  {
    id: 'duration',
    label: 'Duration',
    width: 92,
    hides: 3,
    number: true,
    cell: (f) => formatDuration(flowSeconds(f)),
  },
  {
    id: 'protocol',
    label: 'Proto',
    width: 84,
    hides: 1,
    cell: (f) => (
      <FilterValue field="proto" value={protocolName(f.protocol)} inTable>
        <span className={`swatch ${seriesClass(String(f.protocol))}`} />
        {protocolName(f.protocol)}
      </FilterValue>
    ),
  },
  { id: 'source_address', label: 'Source', width: 130, cell: (f) => address('src', f.source_address) },
  {
    id: 'source_port',
    label: 'Port',
    width: 62,
    hides: 13,
    cell: (f) => <Port port={f.source_port} field="sport" />,
  },
  {
    id: 'destination_address',
    label: 'Destination',
    width: 130,
    cell: (f) => address('dst', f.destination_address),
  },
  {
    id: 'destination_port',
    label: 'Service',
    width: 104,
    cell: (f) => <Port port={f.destination_port} field="dport" />,
  },
  {
    id: 'application',
    label: 'Application',
    width: 104,
    hides: 2,
    cell: (f) => <ApplicationValue flow={f} />,
  },
  {
    id: 'category',
    label: 'Category',
    width: 116,
    hides: 14,
    cell: (f) =>
      f.category && f.category !== 'unknown' ? (
        <FilterValue field="category" value={f.category} inTable>
          {categoryName(f.category)}
        </FilterValue>
      ) : (
        <span className="muted">–</span>
      ),
  },
  {
    id: 'name',
    label: 'Name',
    width: 140,
    hides: 7,
    cell: (f) => <NameCell flow={f} />,
  },
  {
    id: 'tcp_state',
    label: 'TCP state',
    width: 100,
    hides: 15,
    cell: (f) => (f.protocol === 6 && f.tcp_state ? inWords(f.tcp_state) : ''),
  },
  {
    id: 'forward_wire_bytes',
    label: 'Sent',
    width: 78,
    hides: 5,
    number: true,
    cell: (f) => formatBytes(f.forward_wire_bytes),
  },
  {
    id: 'reverse_wire_bytes',
    label: 'Received',
    width: 80,
    hides: 6,
    number: true,
    cell: (f) => formatBytes(f.reverse_wire_bytes),
  },
  {
    id: 'bytes',
    label: 'Bytes',
    width: 80,
    number: true,
    orders: ['-bytes'],
    cell: (f) => formatBytes(flowBytes(f)),
  },
  {
    id: 'packets',
    label: 'Packets',
    width: 84,
    hides: 4,
    number: true,
    orders: ['-packets'],
    cell: (f) => formatCount(flowPackets(f)),
  },
  {
    id: 'rate',
    label: 'Rate',
    width: 98,
    hides: 11,
    number: true,
    cell: (f) => {
      const seconds = flowSeconds(f);
      return seconds > 0 ? formatBitRate((flowBytes(f) * 8) / seconds) : '–';
    },
  },
  {
    id: 'tcp_flags',
    label: 'TCP flags',
    width: 108,
    hides: 16,
    cell: (f) =>
      f.protocol === 6 ? (
        <span className="mono">
          {formatTcpFlags(f.forward_tcp_flags)} / {formatTcpFlags(f.reverse_tcp_flags)}
        </span>
      ) : (
        ''
      ),
  },
  {
    id: 'vlan',
    label: 'VLAN',
    width: 60,
    hides: 10,
    number: true,
    cell: (f) =>
      f.vlan === null ? (
        ''
      ) : (
        <FilterValue field="vlan" value={f.vlan} inTable>
          {f.vlan}
        </FilterValue>
      ),
  },
  {
    id: 'end_reason',
    label: 'Ended by',
    width: 112,
    hides: 17,
    cell: (f) => (
      <FilterValue field="end_reason" value={f.end_reason} inTable>
        {inWords(f.end_reason)}
      </FilterValue>
    ),
  },
];

export const kDefaultColumns = [
  'last_seen',
  'duration',
  'protocol',
  'source_address',
  'source_port',
  'destination_address',
  'destination_port',
  'application',
  'name',
  'bytes',
  'packets',
  'end_reason',
];
export const kOverviewColumns = [
  'last_seen',
  'protocol',
  'source_address',
  'destination_address',
  'destination_port',
  'application',
  'name',
  'duration',
  'packets',
  'bytes',
];
export const kHostColumns = ['last_seen', ...kOverviewColumns.slice(1), 'tcp_state'];
export const columnsBy = (ids: string[]) => kFlowColumns.filter((column) => ids.includes(column.id));

// Rather whole columns fewer than all of them cut: what fits into `room` when each may be a little narrower than it likes.
const kTightest = 0.95;
export const leastWidth = (columns: FlowColumn[]) =>
  Math.floor(columns.reduce((sum, column) => sum + column.width, 0) * kTightest);

export function fittingColumns(columns: FlowColumn[], room: number): FlowColumn[] {
  let kept = columns;
  while (leastWidth(kept) > room) {
    const first = Math.max(0, ...kept.map((column) => column.hides ?? 0));
    if (first === 0) break;
    kept = kept.filter((column) => column.hides !== first);
  }
  return kept;
}
