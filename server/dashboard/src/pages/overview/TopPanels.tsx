import { useState } from 'react';
import { BarList } from '../../charts/BarList';
import { Coverage } from '../../components/Coverage';
import { HostSparkline } from '../../components/HostSparkline';
import { NameBeside } from '../../components/NameBeside';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { FilterValue } from '../../components/Value';
import { formatBytes, formatCount, formatPercent, serviceName } from '../../lib/format';
import { visible } from '../../lib/text';
import { useSmall } from '../../state/hooks';
import { useNames } from '../../state/names';
import { useTop } from '../../state/traffic';
import { useView } from '../../state/view';

const kRows = 8;

export function TalkersPanel() {
  const view = useView();
  const small = useSmall();
  const query = useTop(view, 'address', kRows);
  const rows = query.data?.rows ?? [];
  const nameOf = useNames(
    view,
    rows.map((row) => row.key),
  );
  return (
    <Panel
      title="Top talkers"
      note={
        <>
          strong: sent, soft: received
          <Coverage answer={query.data && { source: query.data.source }} />
        </>
      }
      saved={() => ({
        name: 'talkers',
        header: ['address', 'name', 'bytes', 'packets', 'flows', 'sent_bytes', 'received_bytes'],
        rows: rows.map((r) => [
          r.key,
          nameOf(r.key)?.name,
          r.bytes,
          r.packets,
          r.flows,
          r.sent_bytes,
          r.received_bytes,
        ]),
      })}
      className="panel-talkers"
      table={() => ({
        caption: 'Addresses by bytes',
        header: ['Address', 'Name', 'Bytes', 'Sent', 'Received', 'Flows'],
        rows: rows.map((r) => [
          r.key,
          nameOf(r.key)?.name ?? '',
          formatBytes(r.bytes),
          formatBytes(r.sent_bytes ?? 0),
          formatBytes(r.received_bytes ?? 0),
          formatCount(r.flows),
        ]),
      })}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={kRows} height={22} />}>
        {(top) =>
          rows.length === 0 ? (
            <Empty>No host spoke in this range.</Empty>
          ) : (
            <BarList
              rows={rows.map((row) => ({
                key: row.key,
                value: row.bytes,
                part: row.sent_bytes ?? row.bytes,
                text: formatBytes(row.bytes),
                note: formatPercent(row.bytes, top.total?.bytes ?? 0),
                label: (
                  <>
                    <FilterValue field="host" value={row.key} className="mono" />
                    <NameBeside name={nameOf(row.key)} />
                  </>
                ),
                ...(small ? {} : { extra: <HostSparkline address={row.key} width={72} height={16} /> }),
              }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

// What services are told apart by: names and VLANs are counted from the flows themselves.
type Kind = 'destination_port' | 'server_name' | 'vlan';
const kKinds: Record<
  Kind,
  { label: string; note: string; column: string; field: string; without: string; why: string; empty: string }
> = {
  destination_port: {
    label: 'Ports',
    note: 'by destination port',
    column: 'Port',
    field: 'dport',
    without: 'no service’s port',
    why: 'Flows whose ports are no service’s',
    empty: 'No service was reached in this range.',
  },
  server_name: {
    label: 'Names',
    note: 'by the name that was asked for',
    column: 'Server name',
    field: 'server_name',
    without: 'no name',
    why: 'Flows in which nobody named a server',
    empty: 'No server was named in this range.',
  },
  vlan: {
    label: 'VLANs',
    note: 'by VLAN',
    column: 'VLAN',
    field: 'vlan',
    without: 'no VLAN',
    why: 'Flows without a tag',
    empty: 'No flow has a VLAN in this range.',
  },
};
const kKindChoices = (Object.keys(kKinds) as Kind[]).map((value) => ({ value, label: kKinds[value].label }));

export function PortsPanel() {
  const view = useView();
  const [kind, setKind] = useState<Kind>('destination_port');
  const query = useTop(view, kind, kRows);
  const words = kKinds[kind];
  // An answer may still be that of the kind before.
  const answer = query.data?.dimension === kind ? query.data : undefined;
  const rows = answer?.rows ?? [];
  const total = answer?.total?.bytes ?? 0;
  const other = answer?.other;
  const nameOf = (key: string) => (kind === 'destination_port' ? (serviceName(Number(key)) ?? '') : '');
  return (
    <Panel
      title="Top services"
      note={
        // The choice beside it says by what; there is no room to say it twice.
        <span className="coverage-alone" title={`Counted ${words.note}`}>
          <Coverage answer={answer && { source: answer.source }} />
        </span>
      }
      tools={<Segmented label="Services by" value={kind} choices={kKindChoices} onChange={setKind} />}
      saved={() => ({
        name: 'services',
        header: [kind === 'destination_port' ? 'port' : kind, 'bytes', 'packets', 'flows'],
        rows: rows.map((r) => [r.key, r.bytes, r.packets, r.flows]),
      })}
      className="panel-ports"
      table={() => ({
        caption: `${words.label} by bytes`,
        header: [words.column, 'Service', 'Bytes', 'Flows'],
        rows: rows.map((r) => [visible(r.key), nameOf(r.key), formatBytes(r.bytes), formatCount(r.flows)]),
      })}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={kRows} height={22} />}>
        {() =>
          rows.length === 0 && !(kind === 'destination_port' && other?.bytes) ? (
            <Empty>{answer ? words.empty : 'Loading.'}</Empty>
          ) : (
            <BarList
              rows={[
                ...rows.map((row) => ({
                  key: row.key,
                  value: row.bytes,
                  text: formatBytes(row.bytes),
                  note: formatPercent(row.bytes, total),
                  label: (
                    <FilterValue field={words.field} value={row.key}>
                      <span className="mono">{visible(row.key)}</span>{' '}
                      <span className="muted">{nameOf(row.key)}</span>
                    </FilterValue>
                  ),
                })),
                ...(other && other.bytes > 0
                  ? [
                      {
                        key: 'other',
                        value: other.bytes,
                        text: formatBytes(other.bytes),
                        note: formatPercent(other.bytes, total),
                        label: (
                          <span className="muted" title={words.why}>
                            {words.without}
                          </span>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}
