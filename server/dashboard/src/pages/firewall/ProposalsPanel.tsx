import {
  acceptProposal,
  dismissProposal,
  getProposals,
  type Proposal,
  type Rehearsal,
} from '../../api/firewall';
import type { User } from '../../api/types';
import { HostLink } from '../../components/HostLink';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { scopeInWords } from '../../lib/firewall';
import { alertClassName, formatDuration, formatNumber } from '../../lib/format';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { RehearsalResult } from './RehearsalResult';

// What alerts call for, each tried on the last day before anybody says yes.
export function ProposalsPanel({ user, onDone }: { user: User; onDone: () => void }) {
  const query = useQuery('firewall_proposals', getProposals, 3000);
  const act = async (what: Promise<unknown>, text: string) => {
    try {
      await what;
      notify(text);
    } catch (error) {
      notifyProblem(error);
    }
    query.reload();
    onDone();
  };
  return (
    <Panel title="Proposed" note="what alerts call for; nothing is cut until somebody accepts">
      <Loaded query={query} skeleton={<SkeletonLines count={2} height={28} />}>
        {(proposals) =>
          proposals.length === 0 ? (
            <Empty>
              <p>No alert calls for a block at the moment.</p>
            </Empty>
          ) : (
            <ul className="proposal-list">
              {proposals.map((proposal) => (
                <ProposalItem
                  key={proposal.alert_id}
                  proposal={proposal}
                  mayAccept={may(user, 'admin')}
                  mayDismiss={may(user, 'operator')}
                  onAccept={() => void act(acceptProposal(proposal.alert_id), `Blocked ${proposal.address}.`)}
                  onDismiss={() =>
                    void act(
                      dismissProposal(proposal.alert_id),
                      `Turned the block of ${proposal.address} down.`,
                    )
                  }
                />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

interface ItemProps {
  proposal: Proposal;
  mayAccept: boolean;
  mayDismiss: boolean;
  onAccept: () => void;
  onDismiss: () => void;
}

function ProposalItem({ proposal, mayAccept, mayDismiss, onAccept, onDismiss }: ItemProps) {
  const { address, scope, alert_class, packets_per_second } = proposal;
  return (
    <li data-proposal={address}>
      <p className="proposal-head">
        <span>
          Block{' '}
          <strong className="mono">
            <HostLink address={address} />
          </strong>
          , {scopeInWords(scope)}, for {formatDuration(proposal.ttl_seconds)}
        </span>
        <span className="muted">
          {alertClassName(alert_class)}
          {packets_per_second > 0 && `, ${formatNumber(packets_per_second)} packets/s`}
        </span>
        <span className="proposal-acts">
          {mayAccept && (
            <button
              type="button"
              className="button button-danger"
              aria-label={`Accept the block of ${address}`}
              onClick={onAccept}
            >
              Block
            </button>
          )}
          {mayDismiss && (
            <button
              type="button"
              className="button"
              aria-label={`Turn the block of ${address} down`}
              onClick={onDismiss}
            >
              Dismiss
            </button>
          )}
        </span>
      </p>
      <p className="muted">
        {proposal.may_be_automatic ? 'May be done by itself' : 'Never done by itself'}: {proposal.reason}.
      </p>
      <Tried rehearsal={proposal.rehearsal} />
    </li>
  );
}

function Tried({ rehearsal }: { rehearsal: Proposal['rehearsal'] }) {
  if (rehearsal === null) return <p className="muted">Being tried on the last day…</p>;
  if ('error' in rehearsal) return <p className="muted">It could not be tried: {rehearsal.error}</p>;
  return (
    <details>
      <summary>{inShort(rehearsal)}</summary>
      <RehearsalResult rehearsal={rehearsal} isOld={false} />
    </details>
  );
}

function inShort({ examined, cut }: Rehearsal): string {
  if (examined.flows === 0) return 'Tried on the last day: no flows of this host';
  return `Tried on the last day: ${formatNumber(cut.flows)} of its ${formatNumber(examined.flows)} flows cut`;
}
