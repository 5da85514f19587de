import { useEffect, useRef, useState } from 'react';
import type { HostName, Measure, TopRow } from '../api/types';
import { getTop } from '../api/endpoints';
import { Coverage } from '../components/Coverage';
import { ExportMenu } from '../components/ExportMenu';
import { HostTabs } from '../components/HostTabs';
import { HostSparkline } from '../components/HostSparkline';
import { NameBeside } from '../components/NameBeside';
import { Segmented } from '../components/Segmented';
import { NothingHere } from '../components/NoFlows';
import { Loaded, SkeletonLines } from '../components/States';
import { CopyButton } from '../components/Value';
import type { Cell } from '../lib/csv';
import { formatBytes, formatCount, formatPercent, plural } from '../lib/format';
import { useSmall } from '../state/hooks';
import { useNames } from '../state/names';
import { useQuery } from '../state/query';
import { refreshMs } from '../state/refresh';
import { linkTo, useExtra, useView } from '../state/view';

const kMeasures: { value: Measure; label: string }[] = [
  { value: 'bytes', label: 'bytes' },
  { value: 'packets', label: 'packets' },
  { value: 'flows', label: 'flows' },
];

const kColumns = ['address', 'name', 'bytes', 'packets', 'flows', 'sent_bytes', 'received_bytes'];
const cells = (row: TopRow, name?: string): Cell[] => [
  row.key,
  name,
  row.bytes,
  row.packets,
  row.flows,
  row.sent_bytes,
  row.received_bytes,
];

export function Hosts() {
  const view = useView();
  const small = useSmall();
  const [byText, setBy] = useExtra('by', 'bytes');
  const by = kMeasures.find((m) => m.value === byText)?.value ?? 'bytes';
  const query = useQuery(
    `hosts ${by} ${view.range.since} ${view.range.until} ${view.where}`,
    (signal) => getTop({ ...view.range, dimension: 'address', by, limit: 100, where: view.where }, signal),
    Math.max(refreshMs(view.range), view.range.until === 'now' ? 15_000 : 0),
  );
  const nameOf = useNames(view, query.data?.rows.map((row) => row.key) ?? []);
  return (
    <div className="explore">
      <div className="explore-main">
        <div className="explore-head">
          <HostTabs />
          <span className="muted" role="status">
            {query.data
              ? `${query.data.rows.length === 100 ? 'the first 100' : plural(query.data.rows.length, 'address', 'addresses')} by ${by}${view.where ? ', as filtered' : ''}`
              : ''}
          </span>
          <span className="panel-tools">
            <Coverage answer={query.data} />
            <Segmented label="Order by" value={by} choices={kMeasures} onChange={setBy} />
            <ExportMenu
              what={plural(query.data?.rows.length ?? 0, 'address', 'addresses') + ' as shown.'}
              saved={() => ({
                name: 'hosts',
                header: kColumns,
                rows: (query.data?.rows ?? []).map((row) => cells(row, nameOf(row.key)?.name)),
              })}
            />
          </span>
        </div>
        <div className="explore-scroll">
          <Loaded
            query={query}
            skeleton={
              <div className="explore-note">
                <SkeletonLines count={16} height={20} />
              </div>
            }
          >
            {(top) =>
              top.rows.length === 0 ? (
                <div className="explore-note">
                  <NothingHere>
                    {(where) => (where ? <>No host’s flows match {where}</> : 'No host spoke')}
                  </NothingHere>
                </div>
              ) : small ? (
                <HostCards rows={top.rows} nameOf={nameOf} />
              ) : (
                <HostTable rows={top.rows} total={top.total?.bytes ?? 0} nameOf={nameOf} />
              )
            }
          </Loaded>
        </div>
      </div>
    </div>
  );
}

function useHostLink() {
  const view = useView();
  return (address: string) => linkTo(view, { page: 'hosts', item: address });
}

type NameOf = (address: string) => HostName | undefined;

function HostTable({ rows, total, nameOf }: { rows: TopRow[]; total: number; nameOf: NameOf }) {
  const most = rows.reduce((max, row) => Math.max(max, row.sent_bytes ?? 0, row.received_bytes ?? 0), 0);
  return (
    <table className="flow-table host-table" aria-label="Hosts">
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col" className="num">
            Bytes
          </th>
          <th scope="col" className="num">
            Share
          </th>
          <th scope="col" className="num">
            Sent
          </th>
          <th scope="col">Sent and received</th>
          <th scope="col" className="num">
            Received
          </th>
          <th scope="col" className="num">
            Packets
          </th>
          <th scope="col" className="num">
            Flows
          </th>
          <th scope="col">Over time</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <HostRow key={row.key} row={row} total={total} most={most} name={nameOf(row.key)} />
        ))}
      </tbody>
    </table>
  );
}

interface HostRowProps {
  row: TopRow;
  total: number;
  most: number;
  name: HostName | undefined;
}
function HostRow({ row, total, most, name }: HostRowProps) {
  const ref = useRef<HTMLTableRowElement>(null);
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    if (!ref.current) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries[0]?.isIntersecting) setVisible(true);
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  const link = useHostLink();
  const sent = row.sent_bytes ?? 0;
  const received = row.received_bytes ?? 0;
  const width = (bytes: number) => `${most > 0 ? (bytes / most) * 50 : 0}%`;
  return (
    <tr ref={ref} data-row>
      <td>
        <a className="mono" href={link(row.key)} title={`All about ${row.key}`}>
          {row.key}
        </a>
        <NameBeside name={name} />
        <CopyButton text={row.key} inTable />
      </td>
      <td className="num">{formatBytes(row.bytes)}</td>
      <td className="num">{formatPercent(row.bytes, total)}</td>
      <td className="num">{formatBytes(sent)}</td>
      <td>
        <span className="butterfly" aria-hidden="true">
          <span className="butterfly-sent" style={{ width: width(sent) }} />
          <span className="butterfly-received" style={{ width: width(received) }} />
        </span>
      </td>
      <td className="num">{formatBytes(received)}</td>
      <td className="num">{formatCount(row.packets)}</td>
      <td className="num">{formatCount(row.flows)}</td>
      <td>
        <HostSparkline address={row.key} visible={visible} />
      </td>
    </tr>
  );
}

function HostCards({ rows, nameOf }: { rows: TopRow[]; nameOf: NameOf }) {
  const link = useHostLink();
  return (
    <ul className="host-cards">
      {rows.map((row) => (
        <li key={row.key}>
          <a href={link(row.key)}>
            <span>
              <span className="mono">{row.key}</span>
              <NameBeside name={nameOf(row.key)} />
            </span>
            <span className="num">{formatBytes(row.bytes)}</span>
            <span className="muted">{plural(row.flows, 'flow')}</span>
            <span className="muted num">
              ↑ {formatBytes(row.sent_bytes ?? 0)} ↓ {formatBytes(row.received_bytes ?? 0)}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}
