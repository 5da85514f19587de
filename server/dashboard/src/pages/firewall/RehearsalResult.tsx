import type { Rehearsal } from '../../api/firewall';
import { HostLink } from '../../components/HostLink';
import { formatBytes, formatCount, plural } from '../../lib/format';

type Session = Rehearsal['sessions'][number];

function sessionInWords(session: Session): string {
  const who = `Your session from ${session.peer}`;
  if (session.decision === 'accept') {
    return session.by_protected_set ? `${who} is protected and goes on.` : `${who} goes on.`;
  }
  if (session.decision === 'undecidable') return `${who}: cannot be told.`;
  return `${who} would be cut off${session.rule_id ? ` by the rule ${session.rule_id}` : ''}.`;
}

export function RehearsalResult({ rehearsal, isOld }: { rehearsal: Rehearsal; isOld: boolean }) {
  const { examined, cut, undecidable, elsewhere, difference } = rehearsal;
  return (
    <div className="rehearsal" role="status" aria-label="Result of the rehearsal">
      {isOld && <p className="watch">The draft has changed since; rehearse it again.</p>}
      {examined.flows === 0 ? (
        <p>There are no flows in this time to try the draft on.</p>
      ) : (
        <p className="lead">
          Of {plural(examined.flows, 'flow')},{' '}
          <strong className={cut.flows > 0 ? 'bad' : ''}>
            {plural(cut.flows, 'flow')} ({formatBytes(cut.bytes)})
          </strong>{' '}
          would have been cut
          {cut.flows > 0 &&
            `, of ${rehearsal.hosts_complete ? '' : 'at least '}${plural(rehearsal.hosts_cut, 'host')}`}
          .
        </p>
      )}
      {difference && examined.flows > 0 && (
        <p>
          Against the rules in force: {formatCount(difference.newly_cut.flows)} newly cut,{' '}
          {formatCount(difference.newly_passed.flows)} newly let through.
        </p>
      )}
      {undecidable.flows > 0 && (
        <p>
          {plural(undecidable.flows, 'flow')} cannot be decided; not known:{' '}
          {rehearsal.missing.map((m) => `${m.fact} (${formatCount(m.flows)})`).join(', ')}.
        </p>
      )}
      {elsewhere.flows > 0 && <p>{plural(elsewhere.flows, 'flow')} did not pass this machine.</p>}
      {rehearsal.sessions.map((session) => (
        <p key={session.peer} className={/drop|reject/.test(session.decision) ? 'bad' : ''}>
          {sessionInWords(session)}
        </p>
      ))}
      {rehearsal.hosts.length > 0 && (
        <table className="data-table">
          <caption className="sr-only">Hosts that would have been cut</caption>
          <thead>
            <tr>
              <th scope="col">Host cut</th>
              <th scope="col" className="num">
                Flows
              </th>
              <th scope="col" className="num">
                Bytes
              </th>
            </tr>
          </thead>
          <tbody>
            {rehearsal.hosts.map((host) => (
              <tr key={host.address}>
                <th scope="row" className="mono">
                  <HostLink address={host.address} />
                </th>
                <td className="num">{formatCount(host.flows)}</td>
                <td className="num">{formatBytes(host.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
