import { dismissServerNotice, getServerNotices } from '../api/endpoints';
import type { User } from '../api/types';
import { useNow } from '../state/hooks';
import { notifyProblem } from '../state/notices';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { useView } from '../state/view';
import { RelativeTime } from './Time';

// What has happened to the server itself: everybody reads it, an administrator dismisses it for all.
export function ServerNotices({ user }: { user: User }) {
  const { zone } = useView();
  const now = useNow(10_000);
  const query = useQuery('notices', getServerNotices, 30_000);
  if (!query.data || query.data.length === 0) return null;
  const dismiss = async (id: string) => {
    try {
      await dismissServerNotice(id);
    } catch (error) {
      notifyProblem(error);
    }
    query.reload();
  };
  return (
    <ul className="server-notices" aria-label="Notices of the server">
      {query.data.map((notice) => (
        <li key={notice.id}>
          <span>
            {notice.text}{' '}
            <span className="muted">
              <RelativeTime time={notice.time} now={now} zone={zone} />
            </span>
          </span>
          {may(user, 'admin') && (
            <button type="button" className="text-button" onClick={() => void dismiss(notice.id)}>
              Dismiss
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
