import { BarList } from '../../charts/BarList';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { FilterValue } from '../../components/Value';
import { seriesClass } from '../../lib/colors';
import {
  formatBytes,
  formatCount,
  formatPercent,
  plural,
  canFilterProtocol,
  protocolName,
} from '../../lib/format';
import { compareKeys } from '../../lib/series';
import { useTop } from '../../state/traffic';
import { useView } from '../../state/view';

// Mix and legend in one: the same colours as the chart beside it.
export function ProtocolsPanel({ onHover }: { onHover: (key: string | null) => void }) {
  const view = useView();
  const query = useTop(view, 'protocol', 10);
  const rows = (query.data?.rows ?? [])
    .map((row) => ({ ...row, name: protocolName(row.key) }))
    .sort((a, b) => compareKeys(a.name, b.name));
  const total = rows.reduce((sum, row) => sum + row.bytes, 0);
  return (
    <Panel
      title="Protocol mix"
      note="by bytes"
      className="panel-protocols"
      table={() => ({
        caption: 'Protocols by bytes',
        header: ['Protocol', 'Bytes', 'Share', 'Packets', 'Flows'],
        rows: rows.map((r) => [
          r.name,
          formatBytes(r.bytes),
          formatPercent(r.bytes, total),
          formatCount(r.packets),
          formatCount(r.flows),
        ]),
      })}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={32} />}>
        {() =>
          rows.length === 0 ? (
            <Empty>No traffic in this range.</Empty>
          ) : (
            <>
              <svg className="mix-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                {rows.map((row, i) => {
                  const before = rows.slice(0, i).reduce((sum, r) => sum + r.bytes, 0);
                  return (
                    <rect
                      key={row.key}
                      className={`area ${seriesClass(row.name)}`}
                      x={(before / total) * 1000}
                      width={(row.bytes / total) * 1000}
                      height={10}
                    />
                  );
                })}
              </svg>
              <BarList
                onHover={onHover}
                rows={rows.map((row) => ({
                  key: row.name,
                  value: row.bytes,
                  barClass: seriesClass(row.name),
                  text: formatPercent(row.bytes, total),
                  note: `${formatBytes(row.bytes)} in ${plural(row.flows, 'flow')}`,
                  label: (
                    <>
                      <span className={`swatch ${seriesClass(row.name)}`} />
                      {canFilterProtocol(row.name) ? (
                        <FilterValue field="proto" value={row.name} />
                      ) : (
                        row.name
                      )}
                    </>
                  ),
                }))}
              />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}
