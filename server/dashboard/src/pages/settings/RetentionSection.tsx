import { useState } from 'react';
import {
  getRetention,
  type KindUsage,
  previewRetention,
  putRetention,
  type Retention,
  type ScheduledJob,
  type RetentionPreview,
  type RetentionSettings,
  type StoreUsage,
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

type Name = keyof RetentionSettings;

const kGiB = 2 ** 30;
const kMiB = 2 ** 20;
// Below it the server would do nothing but delete.
const kLeastSize = 16 * kMiB;
const kKinds: {
  days: Name;
  bytes: Name;
  kind: keyof Omit<StoreUsage, 'other_bytes'>;
  label: string;
  hint: string;
}[] = [
  {
    days: 'flow_days',
    bytes: 'flow_bytes',
    kind: 'flows',
    label: 'Flows and their totals',
    hint: 'Cut at whole hours.',
  },
  {
    days: 'alert_days',
    bytes: 'alert_bytes',
    kind: 'alerts',
    label: 'Alerts',
    hint: 'Incidents keep a copy of theirs.',
  },
  {
    days: 'sample_days',
    bytes: 'sample_bytes',
    kind: 'samples',
    label: 'Measures of health',
    hint: 'One a minute for each.',
  },
  {
    days: 'incident_days',
    bytes: 'incident_bytes',
    kind: 'incidents',
    label: 'Incidents',
    hint: 'Only those that ended, with their evidence.',
  },
];
const kSize = { name: 'max_bytes' as const, label: 'Size of the database', unit: 'GiB' };

type Draft = Record<Name, string>;

const unitOf = (name: Name) => (name.endsWith('_days') ? 'days' : name === kSize.name ? kSize.unit : 'MiB');
const bytesOf = (name: Name) => (name === kSize.name ? kGiB : kMiB);

const kFields: { name: Name; label: string }[] = [
  ...kKinds.flatMap(({ days, bytes, label }) => [
    { name: days, label },
    { name: bytes, label },
  ]),
  { name: kSize.name, label: kSize.label },
];

function toDraft(settings: RetentionSettings): Draft {
  const text = (name: Name) => {
    const value = settings[name];
    if (value === null || value === undefined) return '';
    return unitOf(name) === 'days' ? String(value) : String(Number((value / bytesOf(name)).toFixed(3)));
  };
  return Object.fromEntries(kFields.map(({ name }) => [name, text(name)])) as Draft;
}

export function toSettings(draft: Draft): RetentionSettings | string {
  const result = Object.fromEntries(kFields.map(({ name }) => [name, null])) as unknown as RetentionSettings;
  for (const { name, label } of kFields) {
    const text = draft[name].trim();
    if (text === '') continue;
    const value = Number(text);
    const unit = unitOf(name);
    if (!Number.isFinite(value) || value <= 0) return `${label}: a number of ${unit}, or nothing for good.`;
    if (unit === 'days' && !Number.isInteger(value)) return `${label}: whole days.`;
    if (unit === 'MiB' && value < 1) return `${label}: 1 MiB or more.`;
    if (unit === 'GiB' && value * kGiB < kLeastSize) return `${label}: 16 MiB (0.016 GiB) or more.`;
    result[name] = unit === 'days' ? value : Math.round(value * bytesOf(name));
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
                  {kKinds.map(({ days, bytes, kind, label }) => (
                    <li key={kind}>
                      {label}: {inWords(retention.settings, days)}, {inWords(retention.settings, bytes)};{' '}
                      {usageInWords(retention.usage[kind])}
                    </li>
                  ))}
                  <li>
                    {kSize.label}: {inWords(retention.settings, kSize.name)}
                  </li>
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

function inWords(settings: RetentionSettings, name: Name): string {
  const value = settings[name];
  if (unitOf(name) === 'days') return value === null ? 'for good' : `${formatCount(value)} days`;
  return value === null ? 'no bound' : `${formatBytes(value)} at the most`;
}

const usageInWords = ({ count, bytes }: KindUsage) =>
  count === 0 ? 'none now' : `${formatCount(count)} in ${formatBytes(bytes)} now`;

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
    if (previewInWords(preview) !== '') setAsked({ settings, preview });
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
          {kKinds.map(({ days, bytes, kind, label, hint }) => (
            <div key={kind} className="retention-row" role="group" aria-label={label}>
              <span className="retention-label">
                {label}
                <span className="hint">{usageInWords(retention.usage[kind])}</span>
              </span>
              {[days, bytes].map((name) => (
                <Value key={name} name={name} label={label} draft={draft} onChange={setDraft} />
              ))}
              <span className="hint">{hint}</span>
            </div>
          ))}
          <div className="retention-row" role="group" aria-label={kSize.label}>
            <span className="retention-label">
              {kSize.label}
              <span className="hint">{formatBytes(usedOf(retention))} in use now</span>
            </span>
            <span className="retention-value retention-none" />
            <Value name={kSize.name} label={kSize.label} draft={draft} onChange={setDraft} />
            <span className="hint">Beyond it the oldest flows go first.</span>
          </div>
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

interface ValueProps {
  name: Name;
  label: string;
  draft: Draft;
  onChange: (draft: Draft) => void;
}

function Value({ name, label, draft, onChange }: ValueProps) {
  const unit = unitOf(name);
  return (
    <label className="retention-value">
      <input
        inputMode="decimal"
        value={draft[name]}
        placeholder={unit === 'days' ? 'for good' : 'no bound'}
        aria-label={`${label} in ${unit}`}
        onChange={(event) => onChange({ ...draft, [name]: event.target.value })}
      />
      {unit}
    </label>
  );
}

const usedOf = ({ size }: Retention) => size.file_bytes - size.free_bytes;

const listed = (parts: string[]) =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;

function previewInWords(preview: RetentionPreview): string {
  const parts = (suffix: '' | '_by_bytes') =>
    (['flow', 'alert', 'sample', 'incident'] as const)
      .map((kind) => ({ kind, count: preview[`${kind}s${suffix}`] }))
      .filter(({ count }) => count > 0)
      .map(({ kind, count }) =>
        kind === 'sample' ? plural(count, 'measure of health', 'measures of health') : plural(count, kind),
      );
  const sentences: string[] = [];
  const older = parts('');
  const beyond = parts('_by_bytes');
  if (older.length > 0) sentences.push(`Within the hour ${listed(older)} that are older will be deleted.`);
  if (beyond.length > 0)
    sentences.push(`About ${listed(beyond)} are more than their size allows: the oldest go.`);
  if (preview.over_max_bytes)
    sentences.push(
      `The database is ${formatBytes(preview.excess_bytes)} larger than allowed: the oldest flows are deleted until it is not, about ${formatCount(preview.flows_by_size)} of them.`,
    );
  return sentences.join(' ');
}
