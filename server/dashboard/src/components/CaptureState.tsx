import { getCapture } from '../api/endpoints';
import type { Capture } from '../api/types';
import { stages } from '../lib/capture';
import { formatCount, formatDuration, plural, si } from '../lib/format';
import { droppedText, packetsNow } from '../lib/headline';
import { useNow, useSmall } from '../state/hooks';
import { live } from '../state/live';
import { useQuery } from '../state/query';
import { useStore } from '../state/store';
import { Explained } from './Explained';
import { Popover } from './Popover';
import { Facts } from './SidePanel';

// Always in sight: what is captured, how fast, and whether anything is lost.
export function CaptureState() {
  const { capture: streamed, samples, status, lostAt, missed } = useStore(live);
  const polled = useQuery('capture', getCapture, 10_000);
  const now = useNow(1000);
  const small = useSmall();
  const capture = polled.data ?? streamed;
  if (!capture) {
    return (
      <div className="capture-state">
        {polled.problem ? (
          <span className="bad">capture state unknown</span>
        ) : (
          <span className="skeleton-line capture-skeleton" />
        )}
      </div>
    );
  }
  const packets = packetsNow(samples);
  const lost = status === 'lost' && lostAt !== null;
  const dropped = droppedText(capture);
  const bad = capture.state === 'failed' || dropped.lost > 0;
  const tone = bad ? 'bad' : lost || capture.state === 'ended' ? 'watch' : 'good';
  const rate = lost
    ? `stale for ${formatDuration((now - lostAt) / 1000)}`
    : capture.state === 'running'
      ? packets !== null
        ? si(packets, small ? 'pkt/s' : 'packets/s')
        : 'waiting'
      : capture.state;
  const { ledger } = capture;
  return (
    <Popover
      label="Capture state"
      align="left"
      buttonClass="capture-state"
      button={
        <>
          <span className={`dot dot-${tone}`} />
          <span className="capture-source mono">{capture.source || 'no source'}</span>
          <span className={`capture-rate num ${lost ? 'watch' : ''}`}>{rate}</span>
          <span className={`capture-drops ${dropped.lost ? 'bad' : 'muted'}`}>
            {dropped.lost ? dropped.text : 'no drops'}
          </span>
        </>
      }
    >
      {() => (
        <div className="capture-panel">
          <Facts
            rows={[
              ['Source', `${capture.source || 'none'} (${capture.kind}, ${capture.state})`],
              ...(capture.message ? [['Message', capture.message] as [string, string]] : []),
              ['Received', `${formatCount(ledger.received)} packets`],
              ['Decoded', formatCount(ledger.decoded)],
            ]}
          />
          <StageTable capture={capture} />
          {missed > 0 && (
            <p className="muted">
              {plural(missed, 'live event')} left out here: this page was too slow for them.
            </p>
          )}
        </div>
      )}
    </Popover>
  );
}

// What was lost where, on the way from the wire to the store.
function StageTable({ capture }: { capture: Capture }) {
  return (
    <table className="data-table stage-table">
      <caption>Lost or left out, stage by stage</caption>
      <tbody>
        {stages(capture).map(({ label, help, lost, isLoss, parts }) => (
          <tr key={label}>
            <th scope="row">
              <Explained text={help}>{label}</Explained>
            </th>
            <td className={`num ${lost > 0 && isLoss ? 'bad' : ''}`}>{formatCount(lost)}</td>
            <td className="muted">
              {parts.map((part) => (
                <div key={part}>{part}</div>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
