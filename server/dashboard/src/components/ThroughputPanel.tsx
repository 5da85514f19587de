import type { Alert } from '../api/types';
import { TimeChart } from '../charts/TimeChart';
import type { Saved } from '../lib/csv';
import { formatDuration, si } from '../lib/format';
import { kMixes, type Mix } from '../lib/mix';
import { guessAt, totals, type Shaped } from '../lib/series';
import { formatAbsolute, isLive, type Zone } from '../lib/time';
import { useSmall } from '../state/hooks';
import { live } from '../state/live';
import { useStore } from '../state/store';
import { useThroughput, type Unit } from '../state/throughput';
import { useExtra, useView, widen, zoomTo } from '../state/view';
import { Coverage } from './Coverage';
import { MixSwitch } from './MixSwitch';
import { NoDataHint } from './NoDataHint';
import { Panel, type TableView } from './Panel';
import { Segmented } from './Segmented';
import { Empty, ProblemBox, StaleLine } from './States';

interface Props {
  // The filter, and what people call what it selects.
  where: string;
  about?: string;
  mix: Mix;
  onMix: (mix: Mix) => void;
  alerts: Alert[];
  highlight: string | null;
  onAlert: (id: string) => void;
}

const kUnits: { value: Unit; label: string; short: string }[] = [
  { value: 'bit/s', label: 'bit/s', short: 'bit/s' },
  { value: 'packets/s', label: 'packets/s', short: 'pkt/s' },
];

// Beside each series of which a port guesses some, how much of it.
function columnsOf(shaped: Shaped) {
  type Column = { key: string; isGuess: boolean; value: (i: number) => number | null | undefined };
  return shaped.keys.flatMap((key): Column[] => [
    { key, isGuess: false, value: (i) => shaped.values[key]![i] },
    ...(shaped.guessed?.[key]
      ? [
          {
            key,
            isGuess: true,
            value: (i: number) => (shaped.values[key]![i] === null ? null : guessAt(shaped, key, i)),
          },
        ]
      : []),
  ]);
}

function asTable(shaped: Shaped, unit: string, zone: Zone, name: (key: string) => string): TableView {
  const sums = totals(shaped);
  const columns = columnsOf(shaped);
  const cell = (value: number | null | undefined) =>
    value === null || value === undefined ? 'no data' : si(value, unit);
  return {
    caption: 'Throughput over time, newest first',
    header: ['Time', ...columns.map(({ key, isGuess }) => name(key) + (isGuess ? ', guessed' : '')), 'all'],
    rows: shaped.times
      .map((time, i) => [
        formatAbsolute(time, zone),
        ...columns.map(({ value }) => cell(value(i))),
        cell(sums[i]),
      ])
      .reverse(),
  };
}

function asSaved(shaped: Shaped, unit: Unit): Saved {
  const sums = totals(shaped);
  const columns = columnsOf(shaped);
  return {
    name: 'throughput',
    header: [
      'time',
      ...columns.map(({ key, isGuess }) => `${key} ${isGuess ? 'guessed ' : ''}${unit}`),
      `all ${unit}`,
    ],
    rows: shaped.times.map((time, i) => [
      new Date(time).toISOString(),
      ...columns.map(({ value }) => rounded(value(i))),
      rounded(sums[i]),
    ]),
  };
}
const rounded = (value: number | null | undefined) =>
  value === null || value === undefined ? null : Math.round(value * 1000) / 1000;

export function ThroughputPanel(props: Props) {
  const { where, mix } = props;
  const view = useView();
  const small = useSmall();
  const [unitName, setUnit] = useExtra('unit', 'bit/s');
  const unit: Unit = unitName === 'packets/s' ? 'packets/s' : 'bit/s';
  const { shaped, domain, source, query, address } = useThroughput(view.range, where, unit, mix);
  const { capture } = useStore(live);
  const height = small ? 200 : 264;
  const moving = isLive(view.range);
  const { name, label } = kMixes[mix];
  const about =
    props.about ?? (address ? `of ${address}` : where ? 'as filtered' : `per ${label.toLowerCase()}`);
  const step = shaped && shaped.times.length > 0 ? `${formatDuration(shaped.stepMs / 1000)} each` : '';
  const empty = shaped !== null && totals(shaped).every((sum) => sum === null || sum === 0);
  return (
    <Panel
      title="Throughput"
      className="panel-throughput"
      note={
        <>
          {[about, step].filter(Boolean).join(', ')}
          <Coverage answer={source === 'stream' ? { source: 'live' } : query.data} />
        </>
      }
      saved={shaped ? () => asSaved(shaped, unit) : undefined}
      table={shaped ? () => asTable(shaped, unit, view.zone, name) : undefined}
      tools={
        <>
          <MixSwitch mix={mix} onChange={props.onMix} />
          <Segmented
            label="Unit"
            value={unit}
            choices={small ? kUnits.map(({ value, short }) => ({ value, label: short })) : kUnits}
            onChange={setUnit}
          />
        </>
      }
    >
      <StaleLine query={query} />
      {shaped ? (
        <div className={`chart-holder ${query.outdated && source === 'series' ? 'is-outdated' : ''}`}>
          <TimeChart
            shaped={shaped}
            domain={domain}
            zone={view.zone}
            unit={unit}
            name="Throughput"
            nameOf={name}
            alerts={props.alerts}
            height={height}
            scaleKey={`${view.range.since} ${view.range.until} ${unit} ${where} ${source}`}
            live={moving}
            highlight={props.highlight}
            gapReason={capture?.kind === 'file' ? 'the recording has none' : 'the server was not capturing'}
            onZoom={zoomTo}
            onZoomOut={widen}
            onAlert={props.onAlert}
          />
          {empty && <NoDataHint where={where} />}
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
