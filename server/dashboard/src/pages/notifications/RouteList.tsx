import { useState } from 'react';
import { putNotificationRoutes } from '../../api/endpoints';
import type { Channel, NotificationRoute, Severity as Level } from '../../api/types';
import { kSeverities } from '../../components/Severity';
import { Empty } from '../../components/States';
import { notifyProblem } from '../../state/notices';

const kDigests = [
  { value: 0, label: 'at once' },
  { value: 900, label: 'every 15 minutes' },
  { value: 3600, label: 'every hour' },
  { value: 86_400, label: 'once a day' },
];

const isDaily = (route: NotificationRoute) => route.classes.includes('daily_summary');

interface Props {
  routes: NotificationRoute[];
  channels: Channel[];
  onChanged: () => void;
}

// Each line: what goes where, and how often. A change is saved at once.
export function RouteList({ routes, channels, onChanged }: Props) {
  const [busy, setBusy] = useState(false);
  const save = async (next: NotificationRoute[]) => {
    setBusy(true);
    try {
      await putNotificationRoutes(next);
      onChanged();
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const change = (index: number, patch: Partial<NotificationRoute>) =>
    void save(routes.map((route, i) => (i === index ? { ...route, ...patch } : route)));
  const add = () =>
    void save([
      ...routes,
      {
        id: `route-${Date.now().toString(36)}`,
        channel: channels[0]!.id,
        min_severity: 'high',
        classes: [],
        states: ['open'],
        digest_seconds: 0,
      },
    ]);
  return (
    <>
      {routes.length === 0 ? (
        <Empty>
          <p>{channels.length === 0 ? 'First make a channel.' : 'No alert goes anywhere yet.'}</p>
        </Empty>
      ) : (
        <ul className="card-list route-list">
          {routes.map((route, i) => (
            <li key={route.id}>
              <span className="route-parts">
                <select
                  className="select"
                  aria-label="What"
                  value={isDaily(route) ? 'daily' : 'alerts'}
                  disabled={busy}
                  onChange={(event) =>
                    change(
                      i,
                      event.target.value === 'daily'
                        ? { classes: ['daily_summary'], min_severity: 'info' }
                        : { classes: [], min_severity: 'high' },
                    )
                  }
                >
                  <option value="alerts">alerts</option>
                  <option value="daily">the summary of each day</option>
                </select>
                <select
                  className="select"
                  aria-label="Severity"
                  hidden={isDaily(route)}
                  value={route.min_severity}
                  disabled={busy}
                  onChange={(event) => change(i, { min_severity: event.target.value as Level })}
                >
                  {kSeverities.map((level) => (
                    <option key={level} value={level}>
                      {level === 'critical' ? level : `${level} or worse`}
                    </option>
                  ))}
                </select>
                <span>to</span>
                <select
                  className="select"
                  aria-label="Channel"
                  value={route.channel}
                  disabled={busy}
                  onChange={(event) => change(i, { channel: event.target.value })}
                >
                  {channels.map((channel) => (
                    <option key={channel.id} value={channel.id}>
                      {channel.name}
                    </option>
                  ))}
                </select>
                <select
                  className="select"
                  aria-label="How often"
                  value={route.digest_seconds}
                  disabled={busy}
                  onChange={(event) => change(i, { digest_seconds: Number(event.target.value) })}
                >
                  {kDigests.map((digest) => (
                    <option key={digest.value} value={digest.value}>
                      {digest.label}
                    </option>
                  ))}
                </select>
                <label className="check">
                  <input
                    type="checkbox"
                    checked={route.states.includes('closed')}
                    disabled={busy}
                    onChange={(event) =>
                      change(i, { states: event.target.checked ? ['open', 'closed'] : ['open'] })
                    }
                  />
                  <span>also when it is over</span>
                </label>
              </span>
              <span className="card-actions">
                <button
                  type="button"
                  className="text-button bad"
                  disabled={busy}
                  onClick={() => void save(routes.filter((_, k) => k !== i))}
                >
                  Remove
                </button>
              </span>
            </li>
          ))}
        </ul>
      )}
      <p>
        <button type="button" className="button" disabled={busy || channels.length === 0} onClick={add}>
          Add a route
        </button>
      </p>
    </>
  );
}
