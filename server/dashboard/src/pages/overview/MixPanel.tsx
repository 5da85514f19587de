import { BarList } from '../../charts/BarList';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { FilterValue } from '../../components/Value';
import { seriesClass } from '../../lib/colors';
import { formatBytes, formatCount, formatPercent, plural } from '../../lib/format';
import { canFilter, guessWords, isGuess, kMixes, parts, type Mix } from '../../lib/mix';
import { useTop } from '../../state/traffic';
import { useView } from '../../state/view';

const kRows = 9;

// Mix and legend in one: the same colours as the chart beside it.
export function MixPanel({ mix, onHover }: { mix: Mix; onHover: (key: string | null) => void }) {
  const view = useView();
  const query = useTop(view, mix, kRows);
  const words = kMixes[mix];
  const rows = query.data && query.data.dimension === mix ? parts(query.data, mix, kRows) : [];
  const total = rows.reduce((sum, row) => sum + row.bytes, 0);
  return (
    <Panel
      title={`${words.label} mix`}
      note={mix === 'protocol' ? 'by bytes' : 'pale: guessed'}
      saved={() => ({
        name: mix,
        header: [mix, 'bytes', 'packets', 'flows', 'guessed_bytes'],
        rows: rows.map((r) => [r.name, r.bytes, r.packets, r.flows, r.guessed?.bytes]),
      })}
      className={`panel-protocols ${mix === 'protocol' ? '' : 'panel-mix'}`}
      table={() => ({
        caption: `${words.many} by bytes`,
        header: [words.label, 'Bytes', 'Share', 'Packets', 'Flows', 'Guessed by port'],
        rows: rows.map((r) => [
          r.name,
          formatBytes(r.bytes),
          formatPercent(r.bytes, total),
          formatCount(r.packets),
          formatCount(r.flows),
          r.guessed ? formatBytes(r.guessed.bytes) : '',
        ]),
      })}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={32} />}>
        {() =>
          rows.length === 0 ? (
            <Empty>{query.outdated ? 'Loading.' : 'No traffic in this range.'}</Empty>
          ) : (
            <>
              <svg className="mix-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                {rows.map((row, i) => {
                  const before = rows.slice(0, i).reduce((sum, r) => sum + r.bytes, 0);
                  const known = row.bytes - (row.guessed?.bytes ?? 0);
                  const shape = { y: 0, height: 10, className: `area ${seriesClass(row.key)}` };
                  return (
                    <g key={row.key}>
                      <rect {...shape} x={(before / total) * 1000} width={(known / total) * 1000} />
                      {known < row.bytes && (
                        <rect
                          {...shape}
                          className={`${shape.className} area-guess`}
                          x={((before + known) / total) * 1000}
                          width={((row.bytes - known) / total) * 1000}
                        />
                      )}
                    </g>
                  );
                })}
              </svg>
              <BarList
                onHover={onHover}
                rows={rows.map((row) => ({
                  key: mix === 'protocol' ? row.name : row.key,
                  value: row.bytes,
                  barClass: seriesClass(row.key),
                  text: formatPercent(row.bytes, total),
                  note:
                    mix === 'protocol'
                      ? `${formatBytes(row.bytes)} in ${plural(row.flows, 'flow')}`
                      : `${formatBytes(row.bytes)}${guessWords(row)}`,
                  label: (
                    <>
                      <span
                        className={`swatch ${seriesClass(row.key)} ${isGuess(row) ? 'swatch-guess' : ''}`}
                      />
                      {canFilter(row.key) ? (
                        <FilterValue field={words.field} value={mix === 'protocol' ? row.name : row.key}>
                          {row.name}
                          {isGuess(row) && '?'}
                        </FilterValue>
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
