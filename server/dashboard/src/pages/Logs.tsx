import { useState } from 'react';
import { downloadLog, getLogRotation, getLogs, rotateLogs, setLogRotation } from '../api/endpoints';
import type { LogEvent, LogKind, LogLevel, LogRotation, User } from '../api/types';
import { Dialog } from '../components/Dialog';
import { FilterSelect, useTextFilter } from '../components/Filters';
import { Field, Form } from '../components/Form';
import { HostileText } from '../components/HostileText';
import { Icon } from '../components/Icon';
import { NeedsRole } from '../components/NeedsRole';
import { RecordList } from '../components/RecordList';
import { Segmented } from '../components/Segmented';
import { Facts, SidePanel } from '../components/SidePanel';
import { Loaded, SkeletonLines } from '../components/States';
import { AbsoluteTime } from '../components/Time';
import { useTimeSpan } from '../components/TimeFilter';
import { formatBytes, plural } from '../lib/format';
import { useNow, useSmall } from '../state/hooks';
import { notify, tryAndTell } from '../state/notices';
import { usePages } from '../state/pages';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { useExtra, useView } from '../state/view';

const kKinds: { value: LogKind; label: string }[] = [
  { value: 'server', label: 'Server' },
  { value: 'security', label: 'Security' },
];
const kLevels: { value: LogLevel; label: string }[] = [
  { value: 'debug', label: 'Every level' },
  { value: 'info', label: 'info or more' },
  { value: 'warning', label: 'warning or more' },
  { value: 'error', label: 'error' },
];
const kFollowMs = 3000;

export function Logs({ user }: { user: User }) {
  if (!may(user, 'operator')) {
    return <NeedsRole title="Logs" user={user} role="operator" what="The logs are for" />;
  }
  return <LogList user={user} />;
}

function LogList({ user }: { user: User }) {
  const [kind, setKind] = useExtra('kind', 'server');
  const [level, setLevel] = useExtra('level', 'debug');
  const [component, componentFilter] = useTextFilter('component', { label: 'Component', hint: 'Component' });
  const [text, textFilter] = useTextFilter('text', { label: 'Text', hint: 'Text in the line', wide: true });
  const [span, timeFilter] = useTimeSpan();
  const [follow, setFollow] = useState(true);
  const [settings, setSettings] = useState(false);
  const [open, setOpen] = useState<LogEvent | null>(null);
  const filters = { kind: kind as LogKind, level: level as LogLevel, component, text, ...span };
  const key = JSON.stringify(filters);
  const query = useQuery(key, (signal) => getLogs(filters, signal), follow ? kFollowMs : 0);
  const pages = usePages(key, query.data, (cursor) => getLogs({ ...filters, cursor }));
  const events = [...(query.data?.events ?? []), ...pages.older.flatMap((page) => page.events)];
  const filtered = level !== 'debug' || component || text || span.since || span.until;
  return (
    <>
      <RecordList
        title="Logs"
        rows="Events"
        query={query}
        pages={pages}
        isEmpty={events.length === 0}
        empty={filtered ? 'No event matches these filters.' : 'Nothing has been logged yet.'}
        choice={
          <Segmented
            label="Kind of log"
            value={kind as LogKind}
            choices={kKinds}
            onChange={(value) => {
              setKind(value);
              setOpen(null);
            }}
          />
        }
        filters={
          <>
            <FilterSelect label="Level" value={level} choices={kLevels} onChange={setLevel} />
            {timeFilter}
            {componentFilter}
            {textFilter}
          </>
        }
        tools={
          <>
            <label className="check log-follow">
              <input
                type="checkbox"
                checked={follow}
                disabled={pages.older.length > 0}
                onChange={(e) => setFollow(e.target.checked)}
              />
              <span>Follow</span>
            </label>
            <button
              type="button"
              className="button"
              onClick={() => void tryAndTell(() => downloadLog(kind as LogKind), 'Downloaded.')}
            >
              <Icon name="download" />
              Download
            </button>
            <button type="button" className="button" onClick={() => setSettings(true)}>
              Rotation…
            </button>
          </>
        }
        list={<EventTable events={events} open={open} onOpen={setOpen} />}
        detail={open && <EventDetail event={open} onClose={() => setOpen(null)} />}
      />
      {settings && <RotationDialog user={user} onClose={() => setSettings(false)} />}
    </>
  );
}

function Level({ level }: { level: LogLevel }) {
  return <span className={`log-level log-level-${level}`}>{level}</span>;
}

const summaryOf = (event: LogEvent) =>
  Object.entries(event.fields ?? {})
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');

interface TableProps {
  events: LogEvent[];
  open: LogEvent | null;
  onOpen: (event: LogEvent) => void;
}

function EventTable({ events, open, onOpen }: TableProps) {
  const { zone } = useView();
  const now = useNow(10_000);
  const small = useSmall();
  const isOpen = (event: LogEvent) =>
    open !== null && open.time === event.time && open.message === event.message;
  if (small) {
    return (
      <ul className="log-cards">
        {events.map((event, i) => (
          <li key={`${event.time}-${i}`} data-row className={isOpen(event) ? 'is-open' : ''}>
            <button type="button" onClick={() => onOpen(event)}>
              <span className="log-card-head">
                <Level level={event.level} />
                <span className="muted">{event.component}</span>
                <span className="muted">
                  <AbsoluteTime time={event.time} now={now} zone={zone} />
                </span>
              </span>
              <HostileText text={event.message} />
              {event.fields && (
                <span className="muted log-card-fields">
                  <HostileText text={summaryOf(event)} />
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <table className="flow-table log-table" aria-label="Events of the log">
      <colgroup>
        <col className="log-col-time" />
        <col className="log-col-level" />
        <col className="log-col-component" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Level</th>
          <th scope="col">Component</th>
          <th scope="col">Event</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event, i) => (
          <tr
            key={`${event.time}-${i}`}
            data-row
            className={isOpen(event) ? 'is-open' : ''}
            onClick={() => onOpen(event)}
          >
            <td className="muted">
              <AbsoluteTime time={event.time} now={now} zone={zone} />
            </td>
            <td>
              <Level level={event.level} />
            </td>
            <td>
              <HostileText text={event.component} />
            </td>
            <td>
              <button type="button" className="row-button" onClick={() => onOpen(event)}>
                {event.message}
                {event.fields && <span className="muted log-fields">{summaryOf(event)}</span>}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function EventDetail({ event, onClose }: { event: LogEvent; onClose: () => void }) {
  const { zone } = useView();
  const now = useNow(10_000);
  return (
    <SidePanel title={event.component} label="Event" onClose={onClose}>
      <p className="lead">
        <HostileText text={event.message} className="log-whole" />
      </p>
      <Facts
        rows={[
          ['Time', <AbsoluteTime key="time" time={event.time} now={now} zone={zone} />],
          ['Level', <Level key="level" level={event.level} />],
          ...Object.entries(event.fields ?? {}).map(([name, value]): [string, React.ReactNode] => [
            name,
            <HostileText key={name} text={String(value)} className="log-whole" />,
          ]),
        ]}
      />
    </SidePanel>
  );
}

const kMiB = 1 << 20;
const kDay = 86_400;
const kCompressions = ['none', 'gzip', 'zstd'] as const;

function RotationDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const query = useQuery('rotation', getLogRotation);
  return (
    <Dialog title="Rotation of the log files" onClose={onClose}>
      <Loaded query={query} skeleton={<SkeletonLines count={5} height={28} />}>
        {(rotation) =>
          may(user, 'admin') ? (
            <RotationForm rotation={rotation} onClose={onClose} />
          ) : (
            <p className="dialog-text">
              A file is put aside at {formatBytes(rotation.max_bytes)}
              {rotation.max_age_seconds
                ? ` or after ${plural(rotation.max_age_seconds / kDay, 'day')}`
                : ''}; {rotation.keep} are kept. Administrators can change that.
            </p>
          )
        }
      </Loaded>
    </Dialog>
  );
}

function RotationForm({ rotation, onClose }: { rotation: LogRotation; onClose: () => void }) {
  const [size, setSize] = useState(String(rotation.max_bytes / kMiB));
  const [days, setDays] = useState(String(rotation.max_age_seconds / kDay));
  const [keep, setKeep] = useState(String(rotation.keep));
  const [compression, setCompression] = useState(rotation.compression);
  const check = () => {
    if (!(Number(size) * kMiB >= 4096)) return 'The size must be at least 0.004 MiB.';
    if (!(Number(days) >= 0)) return 'The age must be 0 or more days.';
    if (!/^[0-9]+$/.test(keep) || Number(keep) < 1 || Number(keep) > 10_000)
      return 'Files kept must be within 1 and 10000.';
    return null;
  };
  return (
    <>
      <Form
        submit="Save"
        check={check}
        onSubmit={async () => {
          await setLogRotation({
            max_bytes: Math.round(Number(size) * kMiB),
            max_age_seconds: Math.round(Number(days) * kDay),
            keep: Number(keep),
            compression,
          });
          notify('Rotation saved.');
          onClose();
        }}
      >
        <Field
          label="Put a file aside at this size (MiB)"
          value={size}
          onChange={setSize}
          autoFocus
          hint="Applies to the server log and to the security log."
        />
        <Field label="… or at this age (days)" value={days} onChange={setDays} hint="0: never for its age" />
        <Field label="Files kept" value={keep} onChange={setKeep} hint="The oldest go." />
        <div className="field">
          <label htmlFor="log-compression">Packed with</label>
          <select
            id="log-compression"
            className="select"
            value={compression}
            onChange={(e) => setCompression(e.target.value as LogRotation['compression'])}
          >
            {kCompressions.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </Form>
      <p className="log-rotate">
        <button
          type="button"
          className="button"
          onClick={() =>
            void tryAndTell(async () => {
              await rotateLogs();
              onClose();
            }, 'The log files were put aside.')
          }
        >
          Put the files aside now
        </button>
      </p>
    </>
  );
}
