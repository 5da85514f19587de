import { useState } from 'react';
import {
  getRetention,
  previewRetention,
  putRetention,
  type Retention,
  type ScheduledJob,
  type RetentionPreview,
  type RetentionSettings,
} from '../../api/operations';
import type { User } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Form } from '../../components/Form';
import { Panel } from '../../components/Panel';
import { Loaded, SkeletonLines } from '../../components/States';
import { RelativeTime } from '../../components/Time';
import { formatBytes, formatCount, plural } from '../../lib/format';
import { formatAbsolute, parseTime } from '../../lib/time';
import { useNow } from '../../state/hooks';
import { notify } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { useView } from '../../state/view';

const kGiB = 2 ** 30;
const kRows: { name: keyof RetentionSettings; label: string; unit: string; hint: string }[] = [
  { name: 'flow_days', label: 'Flows and their totals', unit: 'days', hint: 'Cut at whole hours.' },
  { name: 'alert_days', label: 'Alerts', unit: 'days', hint: 'Incidents keep a copy of theirs.' },
  { name: 'sample_days', label: 'Measures of health', unit: 'days', hint: 'One a minute for each.' },
  {
    name: 'max_bytes',
    label: 'Size of the database',
    unit: 'GiB',
    hint: 'Beyond it the oldest flows go first.',
  },
];

type Draft = Record<keyof RetentionSettings, string>;

const toDraft = (settings: RetentionSettings): Draft => ({
  flow_days: String(settings.flow_days ?? ''),
  alert_days: String(settings.alert_days ?? ''),
  sample_days: String(settings.sample_days ?? ''),
  max_bytes: settings.max_bytes === null ? '' : String(Number((settings.max_bytes / kGiB).toFixed(3))),
});

export function toSettings(draft: Draft): RetentionSettings | string {
  const result: RetentionSettings = { flow_days: null, alert_days: null, sample_days: null, max_bytes: null };
  for (const { name, label, unit } of kRows) {
    const text = draft[name].trim();
    if (text === '') continue;
    const value = Number(text);
    if (!Number.isFinite(value) || value <= 0) return `${label}: a number of ${unit}, or nothing for good.`;
    if (name !== 'max_bytes' && !Number.isInteger(value)) return `${label}: whole days.`;
    result[name] = name === 'max_bytes' ? Math.round(value * kGiB) : value;
  }
  return result;
}

export function RetentionSection({ user }: { user: User }) {
  const query = useQuery('retention', getRetention);
  return (
    <Panel title="What is kept for how long" className="panel-retention">
      <Loaded query={query} skeleton={<SkeletonLines count={5} height={28} />}>
        {(retention) => (
          <>
            <p className="lead-line">{sizeInWords(retention)}</p>
            {retention.job && <LastRun job={retention.job} />}
            {retention.problem && (
              <p className="form-problem" role="alert">
                {retention.problem} Until then nothing is deleted.
              </p>
            )}
            {may(user, 'admin') ? (
              <RetentionForm
                key={JSON.stringify(retention.settings)}
                retention={retention}
                onDone={query.reload}
              />
            ) : (
              <>
                <ul className="plain-list">
                  {kRows.map(({ name, label, unit }) => (
                    <li key={name}>
                      {label}: {inWords(retention.settings, name, unit)}
                    </li>
                  ))}
                </ul>
                <p className="muted">An administrator can change it.</p>
              </>
            )}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function LastRun({ job }: { job: ScheduledJob }) {
  const { zone } = useView();
  const now = useNow(30_000);
  const last = job.history.find((run) => run.finished !== null);
  return (
    <p className="muted lead-line">
      {last ? (
        <>
          Cleaned up last <RelativeTime time={last.finished!} now={now} zone={zone} />:{' '}
          {last.outcome === 'ok' ? last.message : <span className="bad">{last.message || last.outcome}</span>}
          .
        </>
      ) : (
        'Has not cleaned up yet.'
      )}{' '}
      {job.paused ? (
        <span className="watch">Cleaning up is paused.</span>
      ) : (
        job.next_due && <>Next at {formatAbsolute(parseTime(job.next_due), zone)}.</>
      )}
    </p>
  );
}

function inWords(settings: RetentionSettings, name: keyof RetentionSettings, unit: string): string {
  const value = settings[name];
  if (value === null) return name === 'max_bytes' ? 'no bound' : 'for good';
  return name === 'max_bytes' ? `${formatBytes(value)} at the most` : `${formatCount(value)} ${unit}`;
}

function sizeInWords({ size, growth_bytes_per_day: growth }: Retention): string {
  const now = `The database has ${formatBytes(size.file_bytes)} with ${plural(size.flows, 'flow')}`;
  if (growth === null) return `${now}.`;
  return growth > 0 ? `${now}, and grows by ${formatBytes(growth)} a day.` : `${now}, and does not grow.`;
}

interface FormProps {
  retention: Retention;
  onDone: () => void;
}

// What would be deleted at once is shown, and asked for, before it is set.
function RetentionForm({ retention, onDone }: FormProps) {
  const [draft, setDraft] = useState(toDraft(retention.settings));
  const [asked, setAsked] = useState<{ settings: RetentionSettings; preview: RetentionPreview } | null>(null);
  const save = async (settings: RetentionSettings) => {
    await putRetention(settings);
    setAsked(null);
    notify('Saved what is kept for how long.');
    onDone();
  };
  const submit = async () => {
    const settings = toSettings(draft);
    if (typeof settings === 'string') return;
    const preview = await previewRetention(settings);
    if (preview.flows + preview.alerts > 0 || preview.over_max_bytes) setAsked({ settings, preview });
    else await save(settings);
  };
  return (
    <>
      <Form
        submit="Save"
        check={() => {
          const settings = toSettings(draft);
          if (typeof settings === 'string') return settings;
          return JSON.stringify(settings) === JSON.stringify(retention.settings) && !retention.problem
            ? 'Nothing has been changed.'
            : null;
        }}
        onSubmit={submit}
      >
        <div className="retention-rows">
          {kRows.map(({ name, label, unit, hint }) => (
            <label key={name} className="retention-row">
              <span className="retention-label">{label}</span>
              <span className="retention-value">
                <input
                  inputMode="decimal"
                  value={draft[name]}
                  placeholder={name === 'max_bytes' ? 'no bound' : 'for good'}
                  aria-label={`${label} in ${unit}`}
                  onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
                />
                {unit}
              </span>
              <span className="hint">{hint}</span>
            </label>
          ))}
        </div>
      </Form>
      {asked && (
        <Dialog title="Delete what is too old?" onClose={() => setAsked(null)}>
          <p className="dialog-text">
            {previewInWords(asked.preview)} This cannot be undone but from a backup.
          </p>
          <Form submit="Set and delete" danger onSubmit={() => save(asked.settings)}>
            {null}
          </Form>
        </Dialog>
      )}
    </>
  );
}

function previewInWords(preview: RetentionPreview): string {
  const parts: string[] = [];
  if (preview.flows > 0) parts.push(plural(preview.flows, 'flow'));
  if (preview.alerts > 0) parts.push(plural(preview.alerts, 'alert'));
  const ages =
    parts.length > 0 ? `Within the hour ${parts.join(' and ')} that are older will be deleted.` : '';
  const bytes = preview.over_max_bytes
    ? ` The database is ${preview.excess_bytes ? `${formatBytes(preview.excess_bytes)} ` : ''}larger than allowed: the oldest flows are deleted until it is not${preview.flows_by_size ? `, about ${formatCount(preview.flows_by_size)} of them` : ''}.`
    : '';
  return `${ages}${bytes}`.trim();
}
