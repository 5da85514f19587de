import type { FlowStatistics } from '../../api/types';
import { statisticsFacts, statisticsRows } from '../../lib/statistics';
import { copy } from '../../state/notices';
import { Explained } from '../Explained';
import { PacketChart } from '../../charts/PacketChart';
import { DirectionsHead } from './DirectionsHead';

export function StatisticsPart({ statistics, protocol }: { statistics: FlowStatistics; protocol: number }) {
  const facts = statisticsFacts(statistics);
  return (
    <>
      <h3>Made and timed</h3>
      <table className="data-table statistics-table">
        <DirectionsHead />
        <tbody>
          {statisticsRows(statistics, protocol).map((row) => (
            <tr key={row.label}>
              <th scope="row">
                <Explained text={row.help}>{row.label}</Explained>
              </th>
              {[row.forward, row.reverse].map((text, i) => (
                <td key={i} className={`num ${row.isBad && text !== '0' ? 'watch' : ''}`}>
                  {text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {facts.length > 0 && (
        <>
          <h3>Round trips and links</h3>
          <dl className="facts">
            {facts.map(({ label, help, text }) => (
              <div key={label}>
                <dt>
                  <Explained text={help}>{label}</Explained>
                </dt>
                <dd>
                  <button type="button" className="value" title="Copy" onClick={() => void copy(text)}>
                    {text}
                  </button>
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {statistics.first_packets.length > 0 && <PacketChart samples={statistics.first_packets} />}
    </>
  );
}
