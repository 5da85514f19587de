import { formatClock } from '../lib/time';
import { useNow } from '../state/hooks';
import { live } from '../state/live';
import { useStore } from '../state/store';
import { useView } from '../state/view';

// A short break needs no words; one that lasts says since when and when the next attempt is.
const kPatienceMs = 3000;

export function OfflineLine() {
  const { status, lostAt, retryAt } = useStore(live);
  const { zone } = useView();
  const now = useNow(1000);
  if (status !== 'lost' || lostAt === null || now - lostAt < kPatienceMs) return null;
  const wait = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - now) / 1000));
  return (
    <div className="offline" role="status">
      The live stream has been away since {formatClock(lostAt, zone)}; the last data stays on screen.{' '}
      {wait > 0 ? `Next attempt in ${wait} s.` : 'Trying now.'}
    </div>
  );
}
