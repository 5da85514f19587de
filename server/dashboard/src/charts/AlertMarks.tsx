import type { Alert } from '../api/types';
import { kSeverities, severityPath } from '../components/Severity';
import { formatAbsolute, parseTime, type Zone } from '../lib/time';

interface Props {
  alerts: Alert[];
  x: (time: number) => number;
  domain: [number, number];
  top: number;
  bottom: number;
  zone: Zone;
  onAlert: (id: string) => void;
}

interface Cluster {
  px: number;
  worst: Alert;
  count: number;
}

const kApart = 13;
const kMostLines = 24;
const rank = (alert: Alert) => kSeverities.indexOf(alert.severity);

// Marks that would lie upon each other become one, which shows the most severe of them.
export function clusterAlerts(
  alerts: Alert[],
  x: (time: number) => number,
  domain: [number, number],
): Cluster[] {
  const inside = alerts
    .map((alert) => ({ alert, time: parseTime(alert.time) }))
    .filter(({ time }) => time >= domain[0] && time <= domain[1])
    .sort((a, b) => a.time - b.time);
  const clusters: Cluster[] = [];
  for (const { alert, time } of inside) {
    const px = x(time);
    const last = clusters[clusters.length - 1];
    if (!last || px - last.px >= kApart) {
      clusters.push({ px, worst: alert, count: 1 });
    } else {
      last.count += 1;
      if (rank(alert) < rank(last.worst)) last.worst = alert;
    }
  }
  return clusters;
}

// Alerts as marks on the time axis. The list of alerts beside the chart holds the same for the keyboard.
export function AlertMarks({ alerts, x, domain, top, bottom, zone, onAlert }: Props) {
  const clusters = clusterAlerts(alerts, x, domain);
  return (
    <g aria-hidden="true">
      {clusters.map(({ px, worst, count }) => (
        <g
          key={String(worst.id)}
          className={`alert-mark severity-${worst.severity}`}
          onPointerDown={(event) => event.stopPropagation()}
          onClick={() => onAlert(String(worst.id))}
        >
          <title>
            {`${count > 1 ? `${count} alerts, the most severe: ` : ''}${worst.severity}: ${worst.summary}\n${formatAbsolute(parseTime(worst.time), zone)}`}
          </title>
          {clusters.length <= kMostLines && <line x1={px} x2={px} y1={top} y2={bottom - 6} />}
          <rect className="hit" x={px - 8} y={bottom - 9} width={16} height={18} />
          <path
            transform={`translate(${px - 6},${bottom - 6}) scale(0.75)`}
            fillRule="evenodd"
            d={severityPath(worst.severity)}
          />
        </g>
      ))}
    </g>
  );
}
