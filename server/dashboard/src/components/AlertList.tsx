import type { Alert } from '../api/types';
import { alertClassName } from '../lib/format';
import type { Zone } from '../lib/time';
import { Severity } from './Severity';
import { RelativeTime } from './Time';

interface Props {
  alerts: Alert[];
  now: number;
  zone: Zone;
  onOpen: (alert: Alert) => void;
}

// The short list for the Overview.
export function AlertList({ alerts, now, zone, onOpen }: Props) {
  return (
    <ul className="alert-list">
      {alerts.map((alert) => (
        <li key={String(alert.id)}>
          <button type="button" onClick={() => onOpen(alert)}>
            <Severity level={alert.severity} />
            <span className="alert-list-time">
              {alert.state === 'closed' && 'closed '}
              <RelativeTime time={alert.time} now={now} zone={zone} />
            </span>
            <span className="alert-list-text" title={alert.summary}>
              {alert.summary || alertClassName(alert.class)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
