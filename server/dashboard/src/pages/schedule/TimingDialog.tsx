import { useState } from 'react';
import { setJobTiming, type JobTiming, type ScheduledJob } from '../../api/operations';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Segmented } from '../../components/Segmented';
import { inWords } from '../../lib/format';
import { notify } from '../../state/notices';

const kUnits = [
  { value: 1, label: 'seconds' },
  { value: 60, label: 'minutes' },
  { value: 3600, label: 'hours' },
  { value: 86_400, label: 'days' },
];

const largestUnit = (seconds: number) =>
  [...kUnits].reverse().find(({ value }) => seconds % value === 0)?.value ?? 1;

function leastInWords(seconds: number): string {
  const unit = largestUnit(seconds);
  const word = kUnits.find(({ value }) => value === unit)!.label;
  return seconds === unit ? word.slice(0, -1) : `${seconds / unit} ${word}`;
}

interface Props {
  job: ScheduledJob;
  onClose: () => void;
  onSaved: () => void;
}

export function TimingDialog({ job, onClose, onSaved }: Props) {
  const now = job.timing;
  const [kind, setKind] = useState<'every' | 'daily'>(now.daily_at === null ? 'every' : 'daily');
  const [unit, setUnit] = useState(largestUnit(now.every_seconds ?? 3600));
  const [count, setCount] = useState(String((now.every_seconds ?? 3600) / unit));
  const [at, setAt] = useState(now.daily_at ?? '03:00');
  const [zone, setZone] = useState(now.zone ?? 'local');
  const timing: JobTiming =
    kind === 'every'
      ? { every_seconds: Math.round(Number(count) * unit), daily_at: null, zone: null }
      : { every_seconds: null, daily_at: at, zone };
  const save = async (what: JobTiming) => {
    await setJobTiming(job.name, what);
    notify(`New times of ${inWords(job.name)} saved.`);
    onSaved();
    onClose();
  };
  return (
    <Dialog title={`When ${inWords(job.name)} runs`} onClose={onClose}>
      <Form
        submit="Save"
        check={() =>
          kind === 'every' && !(Number(count) * unit >= job.least_seconds)
            ? `This job runs at most every ${leastInWords(job.least_seconds)}.`
            : null
        }
        onSubmit={() => save(timing)}
      >
        <Segmented
          label="Kind of times"
          value={kind}
          choices={[
            { value: 'every', label: 'Every so often' },
            { value: 'daily', label: 'Once a day' },
          ]}
          onChange={setKind}
        />
        {kind === 'every' ? (
          <div className="timing-every">
            <Field label="Every" value={count} onChange={setCount} autoFocus />
            <select
              className="select"
              aria-label="Unit"
              value={unit}
              onChange={(event) => setUnit(Number(event.target.value))}
            >
              {kUnits.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </div>
        ) : (
          <div className="timing-every">
            <Field label="At" type="time" value={at} onChange={setAt} autoFocus />
            <select
              className="select"
              aria-label="Clock"
              value={zone}
              onChange={(event) => setZone(event.target.value as 'local' | 'utc')}
            >
              <option value="local">local time of the server</option>
              <option value="utc">UTC</option>
            </select>
          </div>
        )}
        <p className="hint">Its next time is counted from now; what is paused stays paused.</p>
      </Form>
      {JSON.stringify(job.default_timing) !== JSON.stringify(job.timing) && (
        <p className="log-rotate">
          <button type="button" className="text-button" onClick={() => void save(job.default_timing)}>
            Back to the times it came with
          </button>
        </p>
      )}
    </Dialog>
  );
}
