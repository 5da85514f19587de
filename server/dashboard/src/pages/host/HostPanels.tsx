import type { Host, TopRow, Totals } from '../../api/types';
import { BarList } from '../../charts/BarList';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { FilterValue } from '../../components/Value';
import { applicationName } from '../../lib/applications';
import { seriesClass } from '../../lib/colors';
import { addPill } from '../../lib/filter';
import { guessWords, isGuess } from '../../lib/mix';
import { formatBytes, formatCount, formatPercent, plural, serviceName } from '../../lib/format';
import type { Query } from '../../state/query';
import { linkTo, useView } from '../../state/view';

export function ApplicationsPanel({ query }: { query: Query<Host> }) {
  return (
    <Panel
      title="Applications"
      note="? marks a guess by port"
      className="panel-protocols panel-mix"
      table={
        query.data
          ? () => ({
              caption: 'Applications by bytes',
              header: ['Application', 'Bytes', 'Packets', 'Flows', 'Guessed by port'],
              rows: query.data!.applications.map((row) => [
                applicationName(row.key),
                formatBytes(row.bytes),
                formatCount(row.packets),
                formatCount(row.flows),
                row.guessed ? formatBytes(row.guessed.bytes) : '',
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
                note: `${formatBytes(row.bytes)}${guessWords(row)}`,
                // The pale rest is what a port guesses.
                part: row.guessed?.bytes ? row.bytes - row.guessed.bytes : undefined,
                label: (
                  <>
                    <span
                      className={`swatch ${seriesClass(row.key)} ${isGuess(row) ? 'swatch-guess' : ''}`}
                    />
                    <FilterValue field="app" value={row.key} className={isGuess(row) ? 'guess' : ''}>
                      {applicationName(row.key)}
                      {isGuess(row) && '?'}
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

// A flow counts for the lower of its two ports.
function NoService({ other }: { other: Totals | undefined }) {
  if (!other || other.flows === 0) return null;
  return (
    <p className="muted panel-foot">
      {formatBytes(other.bytes)} in {plural(other.flows, 'more flow')}: the lower port is that of the side
      that spoke first.
    </p>
  );
}

interface PortsProps {
  title: string;
  note: string;
  empty: string;
  rows: (host: Host) => TopRow[];
  other: (host: Host) => Totals | undefined;
  query: Query<Host>;
  // The side of the flows that the panel is about.
  where: string;
}

// Each leads to its flows, because the port alone would show those of every host.
export function PortsPanel({ title, note, empty, rows, other, query, where }: PortsProps) {
  const view = useView();
  const link = (port: string) =>
    linkTo(view, { page: 'explore', where: addPill(addPill(view.where, where), `dport=${port}`) });
  return (
    <Panel title={title} note={note} className="panel-ports panel-host-ports">
      <Loaded query={query} skeleton={<SkeletonLines count={6} height={22} />}>
        {(host) =>
          rows(host).length === 0 ? (
            <>
              <Empty>{empty}</Empty>
              <NoService other={other(host)} />
            </>
          ) : (
            <>
              <BarList
                rows={rows(host)
                  .slice(0, 8)
                  .map((row) => ({
                    key: row.key,
                    value: row.bytes,
                    text: formatBytes(row.bytes),
                    note: plural(row.flows, 'flow'),
                    label: (
                      <a href={link(row.key)}>
                        <span className="mono">{row.key}</span>{' '}
                        <span className="muted">{serviceName(Number(row.key))}</span>
                      </a>
                    ),
                  }))}
              />
              <NoService other={other(host)} />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}
