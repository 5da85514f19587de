import { useEffect, useState } from 'react';
import {
  changeDetector,
  getDetectors,
  getRules,
  startBacktest,
  startCaptureBacktest,
} from '../../api/endpoints';
import { cancelJob, followJob, getJob, type Job } from '../../api/jobs';
import { isAbort, toProblem } from '../../api/problem';
import type { BacktestResult, BacktestSubject, DetectorRow, User } from '../../api/types';
import { JobProgress } from '../../components/JobProgress';
import { Segmented } from '../../components/Segmented';
import { Empty } from '../../components/States';
import { alertClassName, capitalised, detectorName, sentence } from '../../lib/format';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { useExtra } from '../../state/view';
import { BacktestVerdict } from './BacktestVerdict';
import { kSensitivities } from './DetectorList';
import { kSpans } from './DryRun';

type Sensitivity = DetectorRow['sensitivity'];
const kCapture = 'capture';

export function Backtest({ user }: { user: User }) {
  return may(user, 'operator') ? (
    <BacktestForm user={user} />
  ) : (
    <Empty>
      <p>
        Backtests are run by the role <strong>operator</strong>; you are signed in with the role {user.role}.
      </p>
    </Empty>
  );
}

// The job stands in the address: whoever leaves finds it again, and a link shows it to others.
function useJob() {
  const [id, setId] = useExtra('job');
  const [job, setJob] = useState<Job<BacktestResult> | null>(null);
  const [wrong, setWrong] = useState('');
  useEffect(() => {
    setJob(null);
    if (!id) return;
    const controller = new AbortController();
    getJob<BacktestResult>(id, controller.signal)
      .then((begun) => followJob(begun, setJob, controller.signal))
      .then((ended) => {
        if (ended.state !== 'done') setWrong(ended.error ?? 'The backtest did not end well.');
      })
      .catch((error: unknown) => {
        if (!isAbort(error)) setWrong(sentence(toProblem(error).detail));
      });
    return () => controller.abort();
  }, [id]);
  return { id, setId, job, wrong, setWrong };
}

function BacktestForm({ user }: { user: User }) {
  const detectors = useQuery('detectors', getDetectors);
  const rules = useQuery('alert-rules', getRules);
  const [subject, setSubject] = useState('all');
  const [sensitivity, setSensitivity] = useState<Sensitivity>('normal');
  const [since, setSince] = useState('-24h');
  const [wanted, setWanted] = useState('5');
  const [capture, setCapture] = useState<File | null>(null);
  const [sending, setSending] = useState(false);
  const { id, setId, job, wrong, setWrong } = useJob();
  const running = sending || (Boolean(id) && (!job || job.state === 'running') && !wrong);
  const row = detectors.data?.find((one) => `detector:${one.name}` === subject);

  const start = async () => {
    setWrong('');
    const [kind, name] = [subject.slice(0, subject.indexOf(':')), subject.slice(subject.indexOf(':') + 1)];
    const asked: BacktestSubject =
      kind === 'rule'
        ? { rule: name }
        : kind === 'detector'
          ? { detector: name, sensitivity }
          : { sensitivity };
    const as_set: BacktestSubject = kind === 'detector' ? { detector: name } : {};
    const perDay = Number(wanted);
    const wish = {
      subject: asked,
      ...(kind === 'rule' ? {} : { against: as_set }),
      ...(wanted.trim() && Number.isFinite(perDay) ? { wanted_per_day: perDay } : {}),
    };
    if (since === kCapture && !capture) {
      setWrong('Choose a capture file first.');
      return;
    }
    setSending(true);
    try {
      setId(
        since === kCapture && capture
          ? await startCaptureBacktest(capture, wish)
          : await startBacktest({ ...wish, since }),
      );
    } catch (error) {
      setWrong(sentence(toProblem(error).detail));
    } finally {
      setSending(false);
    }
  };
  const take = async (name: string, to: Sensitivity) => {
    try {
      await changeDetector(name, { sensitivity: to });
      notify(`Set ${detectorName(name)} to sensitivity ${to}.`);
    } catch (error) {
      notifyProblem(error);
    }
    detectors.reload();
  };
  return (
    <>
      <p className="muted list-head">
        What detectors or a rule would have said of the flows that are kept, or of a capture file, how that
        differs from the settings as they are, and what to set for as many alerts as you want.
      </p>
      <form
        className="backtest-form"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <label>
          <span>What</span>
          <select
            className="select"
            aria-label="What"
            value={subject}
            onChange={(event) => setSubject(event.target.value)}
          >
            <option value="all">every detector that is on</option>
            <optgroup label="Detectors">
              {(detectors.data ?? []).map((one) => (
                <option key={one.name} value={`detector:${one.name}`}>
                  {alertClassName(one.name)}
                </option>
              ))}
            </optgroup>
            <optgroup label="Alert rules">
              {(rules.data ?? []).map((one) => (
                <option key={one.id} value={`rule:${one.id}`}>
                  {one.title}
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        <label>
          <span>Over</span>
          <select
            className="select"
            aria-label="Over"
            value={since}
            onChange={(event) => setSince(event.target.value)}
          >
            {kSpans.map((span) => (
              <option key={span.value} value={span.value}>
                {span.label}
              </option>
            ))}
            <option value={kCapture}>a capture file</option>
          </select>
        </label>
        {since === kCapture && (
          <label>
            <span>Capture file</span>
            <input
              type="file"
              aria-label="Capture file"
              accept=".pcap,.pcapng,.cap,.gz,.zst"
              onChange={(event) => setCapture(event.target.files?.[0] ?? null)}
            />
          </label>
        )}
        {!subject.startsWith('rule:') && (
          <div className="backtest-field">
            <span>Sensitivity to try</span>
            <Segmented
              label="Sensitivity to try"
              value={sensitivity}
              choices={kSensitivities}
              onChange={setSensitivity}
            />
          </div>
        )}
        <label>
          <span>Alerts wanted a day</span>
          <input
            className="short-number"
            aria-label="Alerts wanted a day"
            inputMode="decimal"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        </label>
        <button type="submit" className="button button-primary" disabled={running}>
          Run the backtest
        </button>
      </form>
      {row?.stored_flows_note && since !== kCapture && (
        <p className="muted">{capitalised(row.stored_flows_note)}.</p>
      )}
      {wrong && (
        <p className="form-problem" role="alert">
          {wrong}
        </p>
      )}
      {job?.state === 'running' && (
        <JobProgress job={job} onCancel={() => void cancelJob(job.id).catch(() => {})} />
      )}
      {job?.state === 'done' && job.result && (
        <BacktestVerdict
          result={job.result}
          detectors={detectors.data ?? []}
          onSet={may(user, 'admin') ? (name, to) => void take(name, to) : undefined}
        />
      )}
      {!id && !running && !wrong && (
        <Empty>
          <p>
            What it finds appears here. It may take a while: it goes on when you leave, and a link to this
            page leads back to it.
          </p>
        </Empty>
      )}
    </>
  );
}
