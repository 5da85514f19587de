import type { Alert, BacktestResult } from '../../api/types';
import { Severity } from '../../components/Severity';
import { alertClassName, capitalised, formatCount, formatNumber, inWords, plural } from '../../lib/format';

const kMostShown = 50;

const alertsADay = (count: number) => `${formatNumber(count)} ${count === 1 ? 'alert' : 'alerts'} a day`;

export function BacktestVerdict({ result }: { result: BacktestResult }) {
  const { report, difference, notes = [] } = result;
  return (
    <section className="backtest-verdict" role="status" aria-label="What the backtest found">
      <p className="dry-run-lead">
        <strong>{alertsADay(report.alerts_per_day)}</strong>: {plural(report.alerts, 'alert')} in{' '}
        {formatCount(report.flows)} flows
        {report.hidden > 0 && `; ${plural(report.hidden, 'more')} hidden by suppressions`}.
      </p>
      {report.flows === 0 && <p className="muted">There are no flows in this time.</p>}
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
  if (!suggestion || suggestion.points.length === 0) return null;
  const value = suggestion.sensitivity ?? suggestion.threshold ?? null;
  const of = suggestion.points[0]!.sensitivity ? 'sensitivity' : 'threshold';
  const stays = suggestion.current && suggestion.current.threshold === suggestion.threshold;
  const text = (one: string | number | undefined) =>
    typeof one === 'number' ? formatNumber(one) : capitalised(one ?? '');
  return (
    <>
      <p>
        {value === null
          ? `No ${of} that was tried keeps it to ${alertsADay(suggestion.wanted_per_day)}.`
          : stays
            ? `Its threshold of ${text(value)} keeps it to ${alertsADay(suggestion.wanted_per_day)}: nothing to change.`
            : `Suggested ${of} for at most ${alertsADay(suggestion.wanted_per_day)}: ${text(value)}.`}
      </p>
      <table className="count-table">
        <caption>{capitalised(of)} and alerts a day</caption>
        <tbody>
          {suggestion.points.map((point) => (
            <tr key={String(point.sensitivity ?? point.threshold)}>
              <th scope="row">{text(point.sensitivity ?? point.threshold)}</th>
              <td className="num">{formatNumber(point.alerts_per_day)}</td>
              <td className="muted">{plural(point.alerts, 'alert')} in all</td>
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
