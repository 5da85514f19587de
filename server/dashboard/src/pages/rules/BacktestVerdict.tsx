import type { Alert, BacktestResult } from '../../api/types';
import { Severity } from '../../components/Severity';
import {
  alertClassName,
  capitalised,
  formatCount,
  formatDuration,
  formatNumber,
  inWords,
  plural,
} from '../../lib/format';

const kMostShown = 50;

const alertsADay = (count: number) => `${formatNumber(count)} ${count === 1 ? 'alert' : 'alerts'} a day`;

export function BacktestVerdict({ result }: { result: BacktestResult }) {
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
      {notes.map((note) => (
        <p key={note} className="muted">
          {capitalised(note)}.
        </p>
      ))}
      <Counts title="By day" counts={report.by_day} />
      <Counts title="By class" counts={report.by_class} name={alertClassName} />
      {Object.keys(report.by_detector).length > 1 && (
        <Counts title="By detector" counts={report.by_detector} name={(one) => capitalised(inWords(one))} />
      )}
      <Suggestion result={result} />
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

function Suggestion({ result: { suggestion } }: { result: BacktestResult }) {
  if (!suggestion) return null;
  if (suggestion.detectors) {
    // Where nothing speaks at any sensitivity there is nothing to choose.
    const speaking = suggestion.detectors.filter((one) => one.points.some((point) => point.alerts > 0));
    return (
      <>
        {speaking.map(({ detector, sensitivity, points }) => (
          <Tried
            key={detector}
            what="sensitivity"
            lead={
              sensitivity === null
                ? `${capitalised(inWords(detector))}: no sensitivity keeps it to ${alertsADay(suggestion.wanted_per_day)}.`
                : `${capitalised(inWords(detector))}: suggested sensitivity for at most ${alertsADay(suggestion.wanted_per_day)}: ${capitalised(sensitivity)}.`
            }
            rows={points.map((point) => ({ ...point, name: capitalised(point.sensitivity) }))}
          />
        ))}
        {suggestion.detectors.length > 0 && speaking.length === 0 && (
          <p className="muted">Nothing is found at any sensitivity, so there is none to suggest.</p>
        )}
      </>
    );
  }
  const { threshold = null, current, points = [], wanted_per_day } = suggestion;
  if (points.length === 0)
    return <p className="muted">No flow counted, so there is no threshold to suggest.</p>;
  return (
    <Tried
      what="threshold"
      lead={
        threshold === null
          ? `No threshold that was tried keeps it to ${alertsADay(wanted_per_day)}.`
          : current?.threshold === threshold
            ? `Its threshold of ${formatNumber(threshold)} keeps it to ${alertsADay(wanted_per_day)}: nothing to change.`
            : `Suggested threshold for at most ${alertsADay(wanted_per_day)}: ${formatNumber(threshold)}.`
      }
      rows={points.map((point) => ({ ...point, name: formatNumber(point.threshold) }))}
    />
  );
}

interface TriedProps {
  what: string;
  lead: string;
  rows: { name: string; alerts: number; alerts_per_day: number }[];
}

function Tried({ what, lead, rows }: TriedProps) {
  return (
    <>
      <p>{lead}</p>
      <table className="count-table">
        <caption>{capitalised(what)} and alerts a day</caption>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              <td className="num">{formatNumber(row.alerts_per_day)}</td>
              <td className="muted">{plural(row.alerts, 'alert')} in all</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
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
