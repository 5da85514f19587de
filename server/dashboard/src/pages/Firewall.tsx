import { useState } from 'react';
import {
  discardDraft,
  getBlocks,
  getFirewall,
  orderRules,
  removeRule,
  type Firewall as State,
} from '../api/firewall';
import type { User } from '../api/types';
import { Dialog } from '../components/Dialog';
import { Form } from '../components/Form';
import { Icon } from '../components/Icon';
import { Panel } from '../components/Panel';
import { Loaded, SkeletonLines } from '../components/States';
import { moved } from '../lib/firewall';
import { capitalised } from '../lib/format';
import { notify, notifyProblem } from '../state/notices';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { ApplyDialog } from './firewall/ApplyDialog';
import { BlocksPanel } from './firewall/BlocksPanel';
import { ChangePanel } from './firewall/ChangePanel';
import { ImportDialog } from './firewall/ImportDialog';
import { PendingBar } from './firewall/PendingBar';
import { PoliciesPanel } from './firewall/PoliciesPanel';
import { ProposalsPanel } from './firewall/ProposalsPanel';
import { RuleDialog } from './firewall/RuleDialog';
import { RuleList } from './firewall/RuleList';
import { SetsPanel } from './firewall/SetsPanel';

type Act =
  { kind: 'add' | 'import' } | { kind: 'edit' | 'remove'; id: string } | { kind: 'apply' | 'discard' };

export function Firewall({ user }: { user: User }) {
  const query = useQuery('firewall', getFirewall, 2000);
  const blocks = useQuery('firewall_blocks', getBlocks, 5000);
  const [act, setAct] = useState<Act | null>(null);
  const close = () => setAct(null);
  const done = (text: string) => {
    notify(text);
    setAct(null);
    query.reload();
  };
  const mayEdit = may(user, 'operator');
  return (
    <div className="firewall">
      <div className="explore-head">
        <h1 className="page-title">Firewall</h1>
        {mayEdit && (
          <span className="panel-tools">
            {may(user, 'admin') && (
              <button type="button" className="button" onClick={() => setAct({ kind: 'import' })}>
                Import…
              </button>
            )}
            <button type="button" className="button" onClick={() => setAct({ kind: 'add' })}>
              <Icon name="plus" />
              New rule
            </button>
          </span>
        )}
      </div>
      <Loaded query={query} skeleton={<SkeletonLines count={6} height={32} />}>
        {(state) => (
          <>
            <BackendLine state={state} />
            <PendingBar state={state} mayConfirm={may(user, 'admin')} onDone={query.reload} />
            <Panel title="Rules" note={defaultsInWords(state)}>
              <RuleList
                state={state}
                mayEdit={mayEdit}
                onEdit={(id) => setAct({ kind: 'edit', id })}
                onRemove={(id) => setAct({ kind: 'remove', id })}
                onMove={(id, by) => void move(state, id, by).then(query.reload)}
              />
            </Panel>
            <ChangePanel
              state={state}
              user={user}
              onApply={() => setAct({ kind: 'apply' })}
              onDiscard={() => setAct({ kind: 'discard' })}
            />
            <ProposalsPanel user={user} onDone={blocks.reload} />
            <BlocksPanel query={blocks} user={user} />
            <PoliciesPanel user={user} />
            <SetsPanel state={state} mayEdit={mayEdit} onDone={done} />
            <Protected state={state} />
            {(act?.kind === 'add' || act?.kind === 'edit') && (
              <RuleDialog
                key={act.kind === 'edit' ? act.id : ''}
                rule={act.kind === 'edit' ? state.draft.rules.find((r) => r.id === act.id) : undefined}
                version={state.version}
                onClose={close}
                onDone={done}
              />
            )}
            {act?.kind === 'remove' && (
              <Dialog title={`Take the rule ${act.id} out of the draft?`} onClose={close}>
                <p className="dialog-text">The rules in force stay as they are until the draft is applied.</p>
                <Form
                  submit={`Take out ${act.id}`}
                  danger
                  onSubmit={async () => {
                    await removeRule(act.id);
                    done(`Took ${act.id} out of the draft.`);
                  }}
                >
                  {null}
                </Form>
              </Dialog>
            )}
            {act?.kind === 'discard' && (
              <Dialog title="Discard the draft?" onClose={close}>
                <p className="dialog-text">
                  The draft becomes the same as the confirmed rules again. These changes are lost:
                </p>
                <pre className="diff">{state.diff_text}</pre>
                <Form
                  submit="Discard the draft"
                  danger
                  onSubmit={async () => {
                    await discardDraft();
                    done('Discarded the draft.');
                  }}
                >
                  {null}
                </Form>
              </Dialog>
            )}
            {act?.kind === 'import' && <ImportDialog state={state} onClose={close} onDone={done} />}
            {act?.kind === 'apply' && <ApplyDialog state={state} onClose={close} onDone={done} />}
          </>
        )}
      </Loaded>
    </div>
  );
}

async function move(state: State, id: string, by: -1 | 1): Promise<void> {
  const ids = moved(
    state.draft.rules.map((rule) => rule.id),
    id,
    by,
  );
  if (!ids) return;
  try {
    await orderRules(ids, state.version);
  } catch (error) {
    notifyProblem(error);
  }
}

function defaultsInWords(state: State): string {
  const { in: inward, out, forward } = state.draft.defaults;
  return `the first that matches decides; otherwise in ${inward}, out ${out}, forward ${forward}`;
}

function BackendLine({ state }: { state: State }) {
  if (state.backend === 'nftables') return null;
  return (
    <p className="firewall-note" role="note">
      <strong>Not enforced.</strong>{' '}
      {state.note ? `${capitalised(state.note)}.` : `The backend is ${state.backend}.`}
    </p>
  );
}

function Protected({ state }: { state: State }) {
  const { peers } = state.in_force.protected_set;
  if (peers.length === 0) return null;
  return (
    <Panel title="Never cut off" note="ahead of every rule and block">
      <ul className="chips">
        {peers.map((peer) => (
          <li key={`${peer.role} ${peer.prefix}`}>
            <span className="mono">{peer.prefix.replace(/\/(32|128)$/, '')}</span>{' '}
            <span className="muted">{peer.role}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
