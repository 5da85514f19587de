import { clearNotifications, getNotifications, markNotificationsRead } from '../api/endpoints';
import { useNow } from '../state/hooks';
import { live } from '../state/live';
import { notifyError } from '../state/notices';
import { useQuery } from '../state/query';
import { useStore } from '../state/store';
import { linkTo, useView } from '../state/view';
import { absoluteRange, parseTime } from '../lib/time';
import { Icon } from './Icon';
import { Popover } from './Popover';
import { SeverityShape } from './Severity';
import { RelativeTime } from './Time';

const kRefreshMs = 60_000;

// What happened while nobody looked; each user has their own marks.
export function Bell() {
  const view = useView();
  const now = useNow(10_000);
  // A new alert may be a new notification.
  const newest = useStore(live).alerts[0]?.id ?? '';
  const query = useQuery(`notifications ${newest}`, getNotifications, kRefreshMs);
  const list = query.data?.notifications ?? [];
  const unread = query.data?.unread ?? 0;
  const act = (what: Promise<unknown>) =>
    void what.then(query.reload, () => notifyError('The server did not take that; try again.'));
  return (
    <Popover
      label={unread > 0 ? `Notifications, ${unread} unread` : 'Notifications'}
      buttonClass="icon-button bell"
      button={
        <>
          <Icon name="bell" />
          {unread > 0 && <span className="bell-count">{unread > 99 ? '99+' : unread}</span>}
        </>
      }
    >
      {(close) => (
        <div className="bell-panel">
          <div className="bell-head">
            <strong>Notifications</strong>
            <button
              type="button"
              className="text-button"
              disabled={unread === 0}
              onClick={() => act(markNotificationsRead())}
            >
              Mark all as read
            </button>
            <button
              type="button"
              className="text-button"
              disabled={list.length === 0}
              onClick={() => act(clearNotifications())}
            >
              Clear
            </button>
          </div>
          {list.length === 0 ? (
            <p className="muted bell-empty">
              {query.problem && !query.data ? query.problem.detail : 'Nothing new. Alerts appear here.'}
            </p>
          ) : (
            <ul className="bell-list">
              {list.slice(0, 100).map((one) => (
                <li key={one.id} className={one.read ? 'is-read' : ''}>
                  <a
                    href={linkTo(view, {
                      page: 'alerts',
                      range: absoluteRange(parseTime(one.time) - 3_600_000, parseTime(one.time) + 3_600_000),
                      where: '',
                      extra: { alert: one.alert },
                    })}
                    onClick={() => {
                      if (!one.read) act(markNotificationsRead(one.id));
                      close();
                    }}
                  >
                    <SeverityShape level={one.severity} />
                    <span className="bell-text">
                      <span>{one.subject}</span>
                      <span className="muted">{one.text}</span>
                    </span>
                    <RelativeTime time={one.time} now={now} zone={view.zone} />
                  </a>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </Popover>
  );
}
