import type { Flow } from '../api/types';
import { formatBytes, hostPort, protocolName, serviceName } from '../lib/format';
import { applicationOf } from '../lib/applications';
import { flowBytes } from '../lib/flows';
import { seriesClass } from '../lib/colors';
import type { Zone } from '../lib/time';
import { RelativeTime } from './Time';

interface Props {
  flow: Flow;
  now: number;
  zone: Zone;
  className: string;
  onOpen: () => void;
}

function applicationText(flow: Flow): string {
  const known = applicationOf(flow);
  if (known) return known.evidence.isGuess ? `${known.text}?` : known.text;
  return serviceName(flow.destination_port) ?? protocolName(flow.protocol);
}

// A flow on a small screen: who with whom, and how much.
export function FlowCard({ flow, now, zone, className, onOpen }: Props) {
  return (
    <div role="listitem" data-row className={`flow-card ${className}`}>
      <button type="button" onClick={onOpen}>
        <span className="flow-card-who mono">
          <span>{flow.source_address}</span>
          <span>
            <span className="muted">→ </span>
            {hostPort(flow.destination_address, flow.destination_port)}
          </span>
        </span>
        <span className="flow-card-what">
          <span className="num">{formatBytes(flowBytes(flow))}</span>
          <span className="muted">
            <span className={`swatch ${seriesClass(String(flow.protocol))}`} />
            {applicationText(flow)} · <RelativeTime time={flow.last_seen} now={now} zone={zone} />
          </span>
        </span>
      </button>
    </div>
  );
}
