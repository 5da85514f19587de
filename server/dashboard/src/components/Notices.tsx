import { dismiss, notices } from '../state/notices';
import { useStore } from '../state/store';
import { Icon } from './Icon';

export function Notices() {
  const list = useStore(notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {list.map((notice) =>
        notice.isError ? (
          <div key={notice.id} className="notice is-error" role="alert">
            <span>{notice.text}</span>
            <button
              type="button"
              className="icon-button"
              aria-label="Dismiss the error"
              onClick={() => dismiss(notice.id)}
            >
              <Icon name="close" />
            </button>
          </div>
        ) : (
          <div key={notice.id} className="notice">
            {notice.text}
          </div>
        ),
      )}
    </div>
  );
}
