import type { Conversation } from '../api/types';
import { formatBytes, formatCount, formatPercent } from '../lib/format';
import { useSmall } from '../state/hooks';
import { linkTo, useView } from '../state/view';
import { HostLink } from './HostLink';

// Pairs of hosts; `of` is left out of each pair on a page that is about it.
export function PairTable({ rows, total, of }: { rows: Conversation[]; total: number; of?: string }) {
  const view = useView();
  const small = useSmall();
  const flowsOf = (row: Conversation) =>
    linkTo(view, { page: 'explore', where: `host=${row.source} and host=${row.destination}` });
  const peer = (row: Conversation) =>
    row.source === of
      ? { address: row.destination, name: row.destination_name, arrow: '→', words: 'was spoken to' }
      : { address: row.source, name: row.source_name, arrow: '←', words: 'spoke first' };
  const heads = of ? ['Peer'] : small ? ['From', 'To'] : ['Spoke first', 'Was spoken to'];
  return (
    <div className="data-table-wide">
      <table className="data-table pair-table">
        <caption className="sr-only">{of ? `Peers of ${of}` : 'Conversations'}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {!small && (
              <>
                <th scope="col" className="num">
                  Sent
                </th>
                <th scope="col" className="num">
                  Received
                </th>
              </>
            )}
            <th scope="col" className="num">
              Bytes
            </th>
            {!small && (
              <th scope="col" className="num">
                Share
              </th>
            )}
            <th scope="col" className="num">
              Flows
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const mine = of === undefined || row.source === of;
            return (
              <tr key={`${row.source} ${row.destination}`}>
                {of ? (
                  <th scope="row">
                    <span className="muted" title={`This peer ${peer(row).words}`}>
                      {peer(row).arrow}{' '}
                    </span>
                    <HostLink address={peer(row).address} name={peer(row).name} />
                  </th>
                ) : (
                  <>
                    <th scope="row">
                      <HostLink address={row.source} name={row.source_name} />
                    </th>
                    <td>
                      <HostLink address={row.destination} name={row.destination_name} />
                    </td>
                  </>
                )}
                {!small && (
                  <>
                    <td className="num">{formatBytes(mine ? row.forward_bytes : row.reverse_bytes)}</td>
                    <td className="num">{formatBytes(mine ? row.reverse_bytes : row.forward_bytes)}</td>
                  </>
                )}
                <td className="num">{formatBytes(row.bytes)}</td>
                {!small && <td className="num">{formatPercent(row.bytes, total)}</td>}
                <td className="num">
                  <a href={flowsOf(row)} title="Their flows in Explore">
                    {formatCount(row.flows)}
                  </a>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
