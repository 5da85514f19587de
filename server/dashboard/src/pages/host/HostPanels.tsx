import type { Host, TopRow } from '../../api/types';
import { BarList } from '../../charts/BarList';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { FilterValue } from '../../components/Value';
import { applicationName } from '../../lib/applications';
import { seriesClass } from '../../lib/colors';
import { addPill } from '../../lib/filter';
import { formatBytes, formatCount, formatPercent, plural, serviceName } from '../../lib/format';
import type { Query } from '../../state/query';
import { linkTo, useView } from '../../state/view';

export function ApplicationsPanel({ query }: { query: Query<Host> }) {
  return (
    <Panel
      title="Applications"
      note="with port guesses"
      className="panel-protocols panel-mix"
      table={
        query.data
          ? () => ({
              caption: 'Applications by bytes',
              header: ['Application', 'Bytes', 'Packets', 'Flows'],
              rows: query.data!.applications.map((row) => [
                applicationName(row.key),
                formatBytes(row.bytes),
                formatCount(row.packets),
                formatCount(row.flows),
              ]),
            })
          : undefined
      }
    >
      <Loaded query={query} skeleton={<SkeletonLines count={5} height={28} />}>
        {(host) =>
          host.applications.length === 0 ? (
            <Empty>No application was recognised in its traffic.</Empty>
          ) : (
            <BarList
              rows={host.applications.slice(0, 7).map((row) => ({
                key: row.key,
                value: row.bytes,
                barClass: seriesClass(row.key),
                text: formatPercent(row.bytes, host.total.bytes),
                note: formatBytes(row.bytes),
                label: (
                  <>
                    <span className={`swatch ${seriesClass(row.key)}`} />
                    <FilterValue field="app" value={row.key}>
                      {applicationName(row.key)}
                    </FilterValue>
                  </>
                ),
              }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

interface PortsProps {
  title: string;
  note: string;
  empty: string;
  rows: (host: Host) => TopRow[];
  query: Query<Host>;
  // The side of the flows that the panel is about.
  where: string;
}

// Each leads to its flows, because the port alone would show those of every host.
export function PortsPanel({ title, note, empty, rows, query, where }: PortsProps) {
  const view = useView();
  const link = (port: string) =>
    linkTo(view, { page: 'explore', where: addPill(addPill(view.where, where), `dport=${port}`) });
  return (
    <Panel title={title} note={note} className="panel-ports panel-host-ports">
      <Loaded query={query} skeleton={<SkeletonLines count={6} height={22} />}>
        {(host) =>
          rows(host).length === 0 ? (
            <Empty>{empty}</Empty>
          ) : (
            <BarList
              rows={rows(host)
                .slice(0, 8)
                .map((row) => ({
                  key: row.key,
                  value: row.bytes,
                  text: formatBytes(row.bytes),
                  note: plural(row.flows, 'flow'),
                  label:
                    row.key === '0' ? (
                      'without ports'
                    ) : (
                      <a href={link(row.key)}>
                        <span className="mono">{row.key}</span>{' '}
                        <span className="muted">{serviceName(Number(row.key))}</span>
                      </a>
                    ),
                }))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}
