import { BarList } from '../../charts/BarList';
import { Coverage } from '../../components/Coverage';
import { HostSparkline } from '../../components/HostSparkline';
import { NameBeside } from '../../components/NameBeside';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { FilterValue } from '../../components/Value';
import { formatBytes, formatCount, formatPercent, serviceName } from '../../lib/format';
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

export function PortsPanel() {
  const view = useView();
  const query = useTop(view, 'destination_port', kRows);
  const rows = query.data?.rows ?? [];
  const total = query.data?.total?.bytes ?? 0;
  const other = query.data?.other;
  return (
    <Panel
      title="Top services"
      note={
        <>
          by destination port
          <Coverage answer={query.data && { source: query.data.source }} />
        </>
      }
      saved={() => ({
        name: 'services',
        header: ['port', 'bytes', 'packets', 'flows'],
        rows: rows.map((r) => [r.key, r.bytes, r.packets, r.flows]),
      })}
      className="panel-ports"
      table={() => ({
        caption: 'Destination ports by bytes',
        header: ['Port', 'Service', 'Bytes', 'Flows'],
        rows: rows.map((r) => [
          r.key,
          serviceName(Number(r.key)) ?? '',
          formatBytes(r.bytes),
          formatCount(r.flows),
        ]),
      })}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={kRows} height={22} />}>
        {() =>
          rows.length === 0 && !other?.bytes ? (
            <Empty>No service was reached in this range.</Empty>
          ) : (
            <BarList
              rows={[
                ...rows.map((row) => ({
                  key: row.key,
                  value: row.bytes,
                  text: formatBytes(row.bytes),
                  note: formatPercent(row.bytes, total),
                  label: (
                    <FilterValue field="dport" value={row.key}>
                      <span className="mono">{row.key}</span>{' '}
                      <span className="muted">{serviceName(Number(row.key))}</span>
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
                          <span className="muted" title="Flows whose ports are no service's">
                            no service’s port
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
