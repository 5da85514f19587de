import type { Flow } from '../api/types';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatTcpFlags,
  protocolName,
  serviceName,
} from '../lib/format';
import { flowBytes, flowSeconds, hasPorts } from '../lib/flows';
import { formatPrecise, parseTime } from '../lib/time';
import { useView } from '../state/view';
import { Facts, SidePanel } from './SidePanel';
import { CopyValue } from './Value';

function Directions({ flow }: { flow: Flow }) {
  const rows: [string, string, string][] = [
    ['Packets', formatCount(flow.forward_packets), formatCount(flow.reverse_packets)],
    ['On the wire', formatBytes(flow.forward_wire_bytes), formatBytes(flow.reverse_wire_bytes)],
    ['IP', formatBytes(flow.forward_ip_bytes), formatBytes(flow.reverse_ip_bytes)],
    ['Payload', formatBytes(flow.forward_payload_bytes), formatBytes(flow.reverse_payload_bytes)],
  ];
  if (flow.protocol === 6) {
    rows.push(['TCP flags', formatTcpFlags(flow.forward_tcp_flags), formatTcpFlags(flow.reverse_tcp_flags)]);
  }
  return (
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col">
            <span className="sr-only">Measure</span>
          </th>
          <th scope="col" className="num">
            → forward
          </th>
          <th scope="col" className="num">
            ← reverse
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, forward, reverse]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="num">{forward}</td>
            <td className="num">{reverse}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function FlowDetail({ flow, onClose }: { flow: Flow; onClose: () => void }) {
  const { zone } = useView();
  const seconds = flowSeconds(flow);
  const port = (field: string, number: number) => (
    <CopyValue text={String(number)} note={serviceName(number)} field={field} value={number} />
  );
  return (
    <SidePanel label="Flow detail" title={`Flow ${flow.id}`} onClose={onClose}>
      <Facts
        rows={[
          [
            'Source',
            <CopyValue key="s" text={flow.source_address} field="src" value={flow.source_address} />,
          ],
          ...(hasPorts(flow)
            ? [['Source port', port('sport', flow.source_port)] as [string, React.ReactNode]]
            : []),
          [
            'Destination',
            <CopyValue
              key="d"
              text={flow.destination_address}
              field="dst"
              value={flow.destination_address}
            />,
          ],
          ...(hasPorts(flow)
            ? [['Service', port('dport', flow.destination_port)] as [string, React.ReactNode]]
            : []),
          [
            'Protocol',
            <CopyValue
              key="p"
              text={protocolName(flow.protocol)}
              field="proto"
              value={protocolName(flow.protocol)}
            />,
          ],
          ...(flow.application ? [['Application', flow.application] as [string, React.ReactNode]] : []),
          ['VLAN', flow.vlan === null ? 'untagged' : String(flow.vlan)],
          [
            'First seen',
            <span key="f" className="nowrap">
              {formatPrecise(parseTime(flow.first_seen), zone)}
            </span>,
          ],
          [
            'Last seen',
            <span key="l" className="nowrap">
              {formatPrecise(parseTime(flow.last_seen), zone)}
            </span>,
          ],
          ['Duration', formatDuration(seconds)],
          ['Mean rate', seconds > 0 ? formatBitRate((flowBytes(flow) * 8) / seconds) : '–'],
          [
            'Ended by',
            <CopyValue key="e" text={flow.end_reason} field="end_reason" value={flow.end_reason} />,
          ],
        ]}
      />
      <h3>Each way</h3>
      <Directions flow={flow} />
    </SidePanel>
  );
}
