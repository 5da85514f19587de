import type { Alert } from '../../api/types';
import { TimeChart } from '../../charts/TimeChart';
import { Panel, type TableView } from '../../components/Panel';
import { Empty, ProblemBox, StaleLine } from '../../components/States';
import { formatDuration, si } from '../../lib/format';
import { totals, type Shaped } from '../../lib/series';
import { formatAbsolute, isLive, type Zone } from '../../lib/time';
import { useSmall } from '../../state/hooks';
import { live } from '../../state/live';
import { useStore } from '../../state/store';
import { useThroughput, type Unit } from '../../state/throughput';
import { useExtra, useView, widen, zoomTo } from '../../state/view';
import { NoDataHint } from './NoDataHint';

interface Props {
  alerts: Alert[];
  highlight: string | null;
  onAlert: (id: string) => void;
}

function asTable(shaped: Shaped, unit: string, zone: Zone): TableView {
  const sums = totals(shaped);
  const cell = (value: number | null | undefined) =>
    value === null || value === undefined ? 'no data' : si(value, unit);
  return {
    caption: 'Throughput over time, newest first',
    header: ['Time', ...shaped.keys, 'all'],
    rows: shaped.times
      .map((time, i) => [
        formatAbsolute(time, zone),
        ...shaped.keys.map((key) => cell(shaped.values[key]![i])),
        cell(sums[i]),
      ])
      .reverse(),
  };
}

export function ThroughputPanel({ alerts, highlight, onAlert }: Props) {
  const view = useView();
  const small = useSmall();
  const [unitName, setUnit] = useExtra('unit', 'bit/s');
  const unit: Unit = unitName === 'packets/s' ? 'packets/s' : 'bit/s';
  const { shaped, domain, source, query, address } = useThroughput(view.range, view.where, unit);
  const { capture } = useStore(live);
  const height = small ? 200 : 264;
  const moving = isLive(view.range);
  const about = address ? `of ${address}` : view.where ? 'as filtered' : 'per protocol';
  const step = shaped && shaped.times.length > 0 ? `, ${formatDuration(shaped.stepMs / 1000)} each` : '';
  const empty = shaped !== null && totals(shaped).every((sum) => sum === null || sum === 0);
  return (
    <Panel
      title="Throughput"
      className="panel-throughput"
      note={
        <>
          {about}
          {step}
          {moving && source === 'stream' ? ', live' : ''}
        </>
      }
      table={shaped ? () => asTable(shaped, unit, view.zone) : undefined}
      tools={
        <span className="segmented" role="radiogroup" aria-label="Unit">
          {(['bit/s', 'packets/s'] as const).map((name) => (
            <button
              key={name}
              type="button"
              role="radio"
              aria-checked={unit === name}
              onClick={() => setUnit(name)}
            >
              {name}
            </button>
          ))}
        </span>
      }
    >
      <StaleLine query={query} />
      {shaped ? (
        <div className="chart-holder">
          <TimeChart
            shaped={shaped}
            domain={domain}
            zone={view.zone}
            unit={unit}
            name="Throughput"
            alerts={alerts}
            height={height}
            scaleKey={`${view.range.since} ${view.range.until} ${unit} ${view.where} ${source}`}
            live={moving}
            highlight={highlight}
            gapReason={capture?.kind === 'file' ? 'the recording has none' : 'the server was not capturing'}
            onZoom={zoomTo}
            onZoomOut={widen}
            onAlert={onAlert}
          />
          {empty && <NoDataHint />}
        </div>
      ) : query.problem ? (
        <div style={{ minHeight: height }}>
          {query.problem.position !== undefined ? (
            <Empty>Waiting for a valid filter.</Empty>
          ) : (
            <ProblemBox problem={query.problem} onRetry={query.reload} />
          )}
        </div>
      ) : (
        <div className="skeleton-chart" style={{ height }} aria-busy="true" />
      )}
    </Panel>
  );
}
