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
import { tcpStateWords } from '../lib/applications';
import { flowBytes, flowSeconds, hasPorts } from '../lib/flows';
import { formatPrecise, parseTime } from '../lib/time';
import { linkTo, useView } from '../state/view';
import { BlockButton } from './BlockButton';
import { DirectionsHead } from './flow/DirectionsHead';
import { ApplicationPart } from './flow/ApplicationPart';
import { MetadataPart } from './flow/MetadataPart';
import { StatisticsPart } from './flow/StatisticsPart';
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
      <DirectionsHead />
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
  const view = useView();
  const { zone } = view;
  const seconds = flowSeconds(flow);
  const port = (field: string, number: number) => (
    <CopyValue text={String(number)} note={serviceName(number)} field={field} value={number} />
  );
  const host = (text: string, field: string) => (
    <CopyValue text={text} field={field} value={text}>
      <a href={linkTo(view, { page: 'hosts', item: text, where: '' })} aria-label={`Host ${text}`}>
        host
      </a>
    </CopyValue>
  );
  const tcpState = tcpStateWords(flow.tcp_state);
  return (
    <SidePanel label="Flow detail" title={`Flow ${flow.id}`} onClose={onClose}>
      <ApplicationPart flow={flow} />
      <p className="copy-value-actions">
        <BlockButton
          address={flow.source_address}
          reason={`flow ${flow.id}`}
          scope={{
            protocol: protocolName(flow.protocol),
            port: hasPorts(flow) ? flow.destination_port : null,
          }}
        />
        <BlockButton address={flow.destination_address} reason={`flow ${flow.id}`} />
      </p>
      <Facts
        rows={[
          ['Source', host(flow.source_address, 'src')],
          ...(hasPorts(flow)
            ? [['Source port', port('sport', flow.source_port)] as [string, React.ReactNode]]
            : []),
          ['Destination', host(flow.destination_address, 'dst')],
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
          ...(tcpState ? [['Connection', tcpState] as [string, React.ReactNode]] : []),
          ...(flow.icmp
            ? [['ICMP', `type ${flow.icmp.type}, code ${flow.icmp.code}`] as [string, React.ReactNode]]
            : []),
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
          ...(flow.community_id
            ? [['Community ID', <CopyValue key="c" text={flow.community_id} />] as [string, React.ReactNode]]
            : []),
        ]}
      />
      {flow.metadata && <MetadataPart metadata={flow.metadata} zone={zone} />}
      <h3>Each way</h3>
      <Directions flow={flow} />
      {flow.statistics && <StatisticsPart statistics={flow.statistics} protocol={flow.protocol} />}
    </SidePanel>
  );
}
