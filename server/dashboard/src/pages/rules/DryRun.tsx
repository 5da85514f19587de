import { useEffect, useRef, useState } from 'react';
import { startBacktest } from '../../api/endpoints';
import { cancelJob, getJob } from '../../api/jobs';
import { toProblem } from '../../api/problem';
import type { Alert, BacktestResult } from '../../api/types';
import { capitalised, formatCount, formatDuration, formatNumber, plural } from '../../lib/format';

export const kSpans = [
  { value: '-1h', label: 'the last hour' },
  { value: '-24h', label: 'the last day' },
  { value: '-168h', label: 'the last week' },
  { value: '-8760h', label: 'all that is kept' },
];
const kPollMs = 400;

interface Props {
  expression: string;
  before: string | null;
  ready: boolean;
  onThreshold: (threshold: number) => void;
}

// What the rule would have said of the flows that are kept, before it is saved.
export function DryRun({ expression, before, ready, onThreshold }: Props) {
  const [since, setSince] = useState('-24h');
  const [job, setJob] = useState<string | null>(null);
  const [progress, setProgress] = useState(0);
  const [answer, setAnswer] = useState<{ of: string; result: BacktestResult } | null>(null);
  const [wrong, setWrong] = useState('');
  const running = useRef<string | null>(null);

  useEffect(() => {
    if (!job) return;
    running.current = job;
    let timer: ReturnType<typeof setTimeout>;
    const of = expression;
    const ask = async () => {
      try {
        const status = await getJob<BacktestResult>(job);
        setProgress(status.progress);
        if (status.state === 'running') {
          timer = setTimeout(() => void ask(), kPollMs);
          return;
        }
        running.current = null;
        setJob(null);
        if (status.state === 'done' && status.result) setAnswer({ of, result: status.result });
        else setWrong(status.error ?? 'The dry run did not end well.');
      } catch (error) {
        setJob(null);
        setWrong(toProblem(error).detail);
      }
    };
    void ask();
    return () => clearTimeout(timer);
    // The expression may change while its dry run is under way.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [job]);
  useEffect(
    () => () => {
      if (running.current) void cancelJob(running.current).catch(() => {});
    },
    [],
  );

  const start = async () => {
    setWrong('');
    setAnswer(null);
    setProgress(0);
    try {
      setJob(
        await startBacktest({
          subject: { expression },
          ...(before ? { against: { expression: before } } : {}),
          since,
        }),
      );
    } catch (error) {
      setWrong(toProblem(error).detail);
    }
  };
  return (
    <fieldset className="dry-run">
      <legend>Dry run</legend>
      <span className="alert-actions">
        <select
          className="select"
          aria-label="Over which flows"
          value={since}
          onChange={(event) => setSince(event.target.value)}
        >
          {kSpans.map((span) => (
            <option key={span.value} value={span.value}>
              {span.label}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="button"
          disabled={!ready || job !== null}
          onClick={() => void start()}
        >
          Try it
        </button>
        {job && (
          <progress aria-label="Dry run" value={progress} max={1}>
            {Math.round(progress * 100)} %
          </progress>
        )}
      </span>
      {wrong && (
        <p className="form-problem" role="alert">
          {wrong}
        </p>
      )}
      {answer && (
        <div className={answer.of === expression ? '' : 'is-outdated'} role="status">
          <Verdict result={answer.result} onThreshold={onThreshold} />
        </div>
      )}
    </fieldset>
  );
}

function Verdict({
  result,
  onThreshold,
}: {
  result: BacktestResult;
  onThreshold: (threshold: number) => void;
}) {
  const { report, difference, suggestion, notes = [] } = result;
  const threshold = suggestion?.threshold ?? null;
  return (
    <>
      <p className="dry-run-lead">
        <strong>{plural(report.alerts, 'alert')}</strong> in {formatCount(report.flows)} flows
        {report.flows > 0 && ` over ${formatDuration(report.span_seconds)}`}
        {report.covers_a_day && `, ${formatNumber(report.alerts_per_day)} a day`}
        {report.hidden > 0 && `; ${plural(report.hidden, 'more')} hidden by suppressions`}.
      </p>
      {report.flows === 0 && <p className="muted">There are no flows in this time.</p>}
      {notes.map((note) => (
        <p key={note} className="muted">
          {capitalised(note)}.
        </p>
      ))}
      {difference && (
        <p>
          Against the rule as it is: {difference.appear_count} appear, {difference.vanish_count} vanish,{' '}
          {difference.same} stay.
        </p>
      )}
      <Summaries alerts={report.samples} />
      {suggestion && threshold !== null && threshold === suggestion.current?.threshold && (
        <p>
          Its threshold keeps it to {formatNumber(suggestion.wanted_per_day)} alerts a day: nothing to change.
        </p>
      )}
      {suggestion && threshold !== null && threshold !== suggestion.current?.threshold && (
        <p>
          A threshold of{' '}
          <button type="button" className="text-button" onClick={() => onThreshold(threshold)}>
            {formatNumber(threshold)}
          </button>{' '}
          keeps it to {formatNumber(suggestion.wanted_per_day)} alerts a day.
        </p>
      )}
    </>
  );
}

function Summaries({ alerts }: { alerts: Alert[] }) {
  if (alerts.length === 0) return null;
  return (
    <ul className="dry-run-list">
      {alerts.slice(0, 5).map((alert) => (
        <li key={String(alert.id)} className="wrap">
          {alert.summary}
        </li>
      ))}
      {alerts.length > 5 && <li className="muted">… and {alerts.length - 5} more</li>}
    </ul>
  );
}
