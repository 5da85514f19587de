import { notices } from '../state/notices';
import { useStore } from '../state/store';

export function Notices() {
  const list = useStore(notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {list.map((notice) => (
        <div key={notice.id} className="notice">
          {notice.text}
        </div>
      ))}
    </div>
  );
}
