import type { Alert } from '../api/types';
import { severityPath } from '../components/Severity';
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

const kMost = 120;

// Alerts as marks on the time axis. The list of alerts beside the chart holds the same for the keyboard.
export function AlertMarks({ alerts, x, domain, top, bottom, zone, onAlert }: Props) {
  const shown = alerts.filter((a) => parseTime(a.time) >= domain[0] && parseTime(a.time) <= domain[1]).slice(0, kMost);
  return (
    <g aria-hidden="true">
      {shown.map((alert) => {
        const px = x(parseTime(alert.time));
        return (
          <g key={String(alert.id)} className={`alert-mark severity-${alert.severity}`}
            onPointerDown={(event) => event.stopPropagation()} onClick={() => onAlert(String(alert.id))}>
            <title>{`${alert.severity}: ${alert.summary}\n${formatAbsolute(parseTime(alert.time), zone)}`}</title>
            <line x1={px} x2={px} y1={top} y2={bottom - 6} />
            <rect className="hit" x={px - 9} y={bottom - 9} width={18} height={18} />
            <path transform={`translate(${px - 6},${bottom - 6}) scale(0.75)`} fillRule="evenodd" d={severityPath(alert.severity)} />
          </g>
        );
      })}
    </g>
  );
}
