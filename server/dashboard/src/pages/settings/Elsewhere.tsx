import { getLogRotation, getPrunePolicy } from '../../api/endpoints';
import { getHealthThresholds, getSchedule } from '../../api/operations';
import type { Role, User } from '../../api/types';
import { Panel } from '../../components/Panel';
import { formatBytes, plural } from '../../lib/format';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { linkTo, useView } from '../../state/view';

type Fetcher<T> = (signal: AbortSignal) => Promise<T>;

interface Place {
  page: string;
  label: string;
  what: string;
  sees: Role;
  changes: Role;
  // How it is set now, in words; absent where there is nothing short to say.
  now?: Fetcher<string>;
}

const inDays = (seconds: number) => plural(Math.round((seconds / 86_400) * 10) / 10, 'day');

const kPlaces: Place[] = [
  {
    page: 'logs',
    label: 'Log rotation',
    what: 'when a new log file begins, and how many are kept',
    sees: 'operator',
    changes: 'admin',
    now: async (signal) => {
      const set = await getLogRotation(signal);
      const age = set.max_age_seconds > 0 ? ` or ${inDays(set.max_age_seconds)}` : '';
      return `after ${formatBytes(set.max_bytes)}${age}; ${set.keep} kept`;
    },
  },
  {
    page: 'schedule',
    label: 'Schedule',
    what: 'when backups, clean-ups and the daily summary run',
    sees: 'viewer',
    changes: 'admin',
    now: async (signal) => {
      const jobs = await getSchedule(signal);
      const paused = jobs.filter((job) => job.paused).length;
      return `${plural(jobs.length, 'job')}${paused > 0 ? `, ${paused} paused` : ''}`;
    },
  },
  {
    page: 'health',
    label: 'Thresholds',
    what: 'from when on the health of this machine is an alert',
    sees: 'viewer',
    changes: 'admin',
    now: async (signal) => {
      const { thresholds } = await getHealthThresholds(signal);
      return thresholds.length > 0 ? `${thresholds.length} set` : 'none set: nobody watches';
    },
  },
  {
    page: 'notifications',
    label: 'Notifications',
    what: 'who is told of which alerts, by mail, webhook or syslog',
    sees: 'viewer',
    changes: 'admin',
  },
  {
    page: 'backups',
    label: 'Backups',
    what: 'which of them are kept',
    sees: 'admin',
    changes: 'admin',
    now: async (signal) => {
      const policy = await getPrunePolicy(signal);
      const kept = (['last', 'daily', 'weekly', 'monthly'] as const)
        .filter((name) => policy[name] > 0)
        .map((name) => `${policy[name]} ${name}`);
      return kept.length > 0 ? kept.join(', ') : 'all of them';
    },
  },
  {
    page: 'rules',
    label: 'Rules and detectors',
    what: 'what is an alert, how sensitive, and what is not worth one',
    sees: 'viewer',
    changes: 'operator',
  },
  {
    page: 'firewall',
    label: 'Firewall',
    what: 'rules, policies of response, and who is never blocked',
    sees: 'viewer',
    changes: 'admin',
  },
  {
    page: 'users',
    label: 'Users',
    what: 'who may sign in, and what they may do',
    sees: 'admin',
    changes: 'admin',
  },
];

// What is set on the page that it is about.
export function Elsewhere({ user }: { user: User }) {
  return (
    <Panel title="Set elsewhere" className="panel-elsewhere">
      <ul className="elsewhere">
        {kPlaces
          .filter(({ sees }) => may(user, sees))
          .map((place) => (
            <Row key={place.page} place={place} user={user} />
          ))}
      </ul>
    </Panel>
  );
}

function Row({ place, user }: { place: Place; user: User }) {
  const view = useView();
  return (
    <li>
      <a href={linkTo(view, { page: place.page })}>{place.label}</a>
      <span>
        {place.what}
        {!may(user, place.changes) && <span className="muted"> (set by {place.changes}s)</span>}
      </span>
      <span className="muted">{place.now && <Now page={place.page} now={place.now} />}</span>
    </li>
  );
}

// A setting that cannot be read now is no reason to hide where it is.
function Now({ page, now }: { page: string; now: Fetcher<string> }) {
  const { data } = useQuery(`elsewhere-${page}`, now);
  return <>{data ?? ''}</>;
}
