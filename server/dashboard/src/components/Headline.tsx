import { getSummary } from '../api/endpoints';
import type { Alert, CaptureCounts } from '../api/types';
import { lossText } from '../lib/coverage';
import { formatBitRate, formatBytes, plural, sentence } from '../lib/format';
import { headline } from '../lib/headline';
import { describeRange, formatClock, isLive, resolveRange } from '../lib/time';
import { useNow } from '../state/hooks';
import { live, serverNow } from '../state/live';
import { useQuery } from '../state/query';
import { refreshMs } from '../state/refresh';
import { useStore } from '../state/store';
import { useView } from '../state/view';
import { FilterValue } from './Value';

export function Headline({ alerts }: { alerts: Alert[] | undefined }) {
  const { range, zone } = useView();
  const { samples, capture: streamed, talkers, status, lostAt } = useStore(live);
  const summary = useQuery(
    `summary ${range.since} ${range.until}`,
    (signal) => getSummary(range, signal),
    refreshMs(range),
  );
  useNow(1000);
  const [since, until] = resolveRange(range, serverNow());
  if (!summary.data && !summary.problem) {
    return (
      <div className="headline" aria-busy="true">
        <div className="skeleton-line headline-skeleton" />
        <div className="skeleton-line headline-skeleton-sub" />
      </div>
    );
  }
  if (!summary.data) {
    return (
      <div className="headline tone-watch">
        <p className="headline-main">
          <strong>Not known:</strong> {summary.problem!.detail}
        </p>
        <p className="headline-sub">
          Retrying by itself.{' '}
          <button type="button" className="text-button" onClick={summary.reload}>
            Try now
          </button>
        </p>
      </div>
    );
  }
  const data = summary.data;
  const moving = isLive(range);
  const lost = moving && status === 'lost' && lostAt !== null && Date.now() - lostAt > 3000;
  const asOf = lost ? lostAt : summary.problem ? summary.receivedAt : null;
  const said = headline({
    asOf: asOf === null ? null : formatClock(asOf, zone),
    live: moving,
    capture: data.capture ?? streamed,
    samples,
    alerts: alerts ?? [],
    bytes: data.bytes,
    flows: data.flows,
    seconds: (until - since) / 1000,
  });
  const loss = data.capture?.packets_seen === undefined ? null : lossText(data.capture as CaptureCounts);
  const busiest = moving ? talkers[0] : undefined;
  return (
    <div className={`headline tone-${said.tone}`}>
      <h1 className="headline-main">
        <span className="headline-mark" aria-hidden="true" />
        <strong>{said.word}:</strong> {said.text}
      </h1>
      {summary.problem ? (
        <p className="headline-sub" role="status">
          {sentence(summary.problem.detail)} Shown as of {formatClock(summary.receivedAt ?? Date.now(), zone)}
          .{' '}
          <button type="button" className="text-button" onClick={summary.reload}>
            Try now
          </button>
        </p>
      ) : (
        <p className="headline-sub">
          {describeRange(range, zone)}: {formatBytes(data.bytes)} in {plural(data.flows, 'flow')} and{' '}
          {plural(data.packets, 'packet')}
          {data.packets > 0 && <>, {Math.round(data.mean_packet_bytes)} B each</>}.
          {loss && <strong className="bad"> In this range: {loss}.</strong>}
          {busiest && (
            <>
              {' '}
              Busiest host of the last minute:{' '}
              <FilterValue field="host" value={busiest.address} className="mono" /> (
              {formatBitRate((busiest.wire_bytes * 8) / 60)}).
            </>
          )}
        </p>
      )}
    </div>
  );
}
