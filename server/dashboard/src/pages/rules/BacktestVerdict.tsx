import type { Alert, BacktestResult, DetectorRow } from '../../api/types';
import { Severity } from '../../components/Severity';
import {
  alertClassName,
  capitalised,
  detectorName,
  formatCount,
  formatDuration,
  formatNumber,
  plural,
} from '../../lib/format';
import { kSensitivities } from './DetectorList';

type Sensitivity = DetectorRow['sensitivity'];

const kMostShown = 50;

const alertsADay = (count: number) => `${formatNumber(count)} ${count === 1 ? 'alert' : 'alerts'} a day`;

// The server says a detector as it is called in files.
const noteInWords = (note: string) =>
  `${capitalised(note.replace(/^[a-z_]+(?= (?:cannot|sees) )/, (name) => alertClassName(name)))}.`;

// `onSet` only for those who may: it takes over a suggestion.
export function BacktestVerdict({ result, detectors, onSet }: SuggestionProps) {
  const { report, difference, notes = [] } = result;
  return (
    <section className="backtest-verdict" role="status" aria-label="What the backtest found">
      <p className="dry-run-lead">
        <strong>
          {report.covers_a_day ? alertsADay(report.alerts_per_day) : plural(report.alerts, 'alert')}
        </strong>
        {report.covers_a_day && `: ${plural(report.alerts, 'alert')}`} in {plural(report.flows, 'flow')}
        {report.flows > 0 && ` over ${formatDuration(report.span_seconds)}`}
        {report.hidden > 0 && `; ${plural(report.hidden, 'more')} hidden by suppressions`}.
      </p>
      {report.flows === 0 && report.packets === 0 && (
        <p className="muted">There are no flows in this time.</p>
      )}
      <Suggestion result={result} detectors={detectors} onSet={onSet} />
      <div className="count-tables">
        <Counts title="By day" counts={report.by_day} />
        <Counts title="By class" counts={report.by_class} name={alertClassName} />
        {Object.keys(report.by_detector).length > 1 && (
          <Counts title="By detector" counts={report.by_detector} name={alertClassName} />
        )}
      </div>
      {difference && (
        <>
          <p>
            Against the settings as they are: <strong>{difference.appear_count} appear</strong>,{' '}
            <strong>{difference.vanish_count} vanish</strong>, {difference.same} stay.
          </p>
          <AlertLines title="Would appear" alerts={difference.appear} />
          <AlertLines title="Would vanish" alerts={difference.vanish} />
        </>
      )}
      <AlertLines title="All that would be said" alerts={report.samples} />
      {notes.length > 0 && (
        <ul className="note-list" aria-label="What the figures do not say by themselves">
          {notes.map((note) => (
            <li key={note}>{noteInWords(note)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface CountsProps {
  title: string;
  counts: Record<string, number>;
  name?: (key: string) => string;
}

function Counts({ title, counts, name = (key) => key }: CountsProps) {
  const rows = Object.entries(counts);
  const most = Math.max(...rows.map(([, count]) => count), 1);
  if (rows.length === 0) return null;
  return (
    <table className="count-table">
      <caption>{title}</caption>
      <tbody>
        {rows.map(([key, count]) => (
          <tr key={key}>
            <th scope="row">{name(key)}</th>
            <td className="num">{formatCount(count)}</td>
            <td className="count-bar" aria-hidden="true">
              <span style={{ width: `${(100 * count) / most}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface SuggestionProps {
  result: BacktestResult;
  detectors: DetectorRow[];
  onSet?: (name: string, sensitivity: Sensitivity) => void;
}

function Suggestion({ result: { suggestion }, ...how }: SuggestionProps) {
  if (!suggestion) return null;
  if (suggestion.detectors) {
    // Where nothing speaks at any sensitivity there is nothing to choose.
    const speaking = suggestion.detectors.filter((one) => one.points.some((point) => point.alerts > 0));
    if (speaking.length > 0)
      return <Sensitivities rows={speaking} wanted={suggestion.wanted_per_day} {...how} />;
    return suggestion.detectors.length > 0 ? (
      <p className="muted">Nothing is found at any sensitivity, so there is none to suggest.</p>
    ) : null;
  }
  const { threshold = null, current, points = [], wanted_per_day } = suggestion;
  if (points.length === 0)
    return <p className="muted">No flow counted, so there is no threshold to suggest.</p>;
  return (
    <>
      <p>
        {threshold === null
          ? `No threshold that was tried keeps it to ${alertsADay(wanted_per_day)}.`
          : current?.threshold === threshold
            ? `Its threshold of ${formatNumber(threshold)} keeps it to ${alertsADay(wanted_per_day)}: nothing to change.`
            : `Suggested threshold for at most ${alertsADay(wanted_per_day)}: ${formatNumber(threshold)}.`}
      </p>
      <table className="count-table">
        <caption>Threshold and alerts a day</caption>
        <tbody>
          {points.map((point) => (
            <tr key={point.threshold}>
              <th scope="row">{formatNumber(point.threshold)}</th>
              <td className="num">{formatNumber(point.alerts_per_day)}</td>
              <td className="muted">{plural(point.alerts, 'alert')} in all</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

type Tried = NonNullable<NonNullable<BacktestResult['suggestion']>['detectors']>[number];

// One line each: what every sensitivity would say a day, which of them is enough, and the act that follows from it.
function Sensitivities({
  rows,
  wanted,
  detectors,
  onSet,
}: Omit<SuggestionProps, 'result'> & { rows: Tried[]; wanted: number }) {
  const setting = (name: string) => detectors.find((row) => row.name === name)?.sensitivity;
  return (
    <div className="data-table-wide">
      <table className="data-table sensitivity-table">
        <caption>Alerts a day at each sensitivity; wanted are at most {formatNumber(wanted)}</caption>
        <thead>
          <tr>
            <th scope="col">Detector</th>
            {kSensitivities.map(({ value, label }) => (
              <th key={value} scope="col" className="num">
                {label}
              </th>
            ))}
            <th scope="col">Suggested</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ detector, sensitivity, points }) => (
            <tr key={detector}>
              <th scope="row">{alertClassName(detector)}</th>
              {kSensitivities.map(({ value }) => {
                const point = points.find((one) => one.sensitivity === value);
                return (
                  <td
                    key={value}
                    className={`num ${value === sensitivity ? 'is-suggested' : ''}`}
                    title={point && `${plural(point.alerts, 'alert')} in all`}
                  >
                    {point ? formatNumber(point.alerts_per_day) : '–'}
                  </td>
                );
              })}
              <td>
                {sensitivity === null ? (
                  <span className="muted">none is low enough</span>
                ) : sensitivity === setting(detector) ? (
                  <span className="muted">{capitalised(sensitivity)}, as it is set</span>
                ) : onSet ? (
                  <button
                    type="button"
                    className="text-button"
                    aria-label={`Set ${detectorName(detector)} to sensitivity ${sensitivity}`}
                    onClick={() => onSet(detector, sensitivity)}
                  >
                    Set to {capitalised(sensitivity)}
                  </button>
                ) : (
                  capitalised(sensitivity)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AlertLines({ title, alerts }: { title: string; alerts: Alert[] }) {
  if (alerts.length === 0) return null;
  return (
    <details open={alerts.length <= 10}>
      <summary>
        {title} ({formatCount(alerts.length)})
      </summary>
      <ul className="backtest-alerts">
        {alerts.slice(0, kMostShown).map((alert) => (
          <li key={String(alert.id)}>
            <Severity level={alert.severity} />
            <span className="wrap">{alert.summary}</span>
          </li>
        ))}
        {alerts.length > kMostShown && <li className="muted">… and {alerts.length - kMostShown} more</li>}
      </ul>
    </details>
  );
}
