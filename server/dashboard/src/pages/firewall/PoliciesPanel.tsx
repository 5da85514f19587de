import { useState } from 'react';
import {
  getAllowList,
  getPolicies,
  setAllowList,
  setPolicies,
  type Policies,
  type Policy,
} from '../../api/firewall';
import type { User } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Form } from '../../components/Form';
import { Panel } from '../../components/Panel';
import { Loaded, SkeletonLines } from '../../components/States';
import { listOf } from '../../lib/firewall';
import { alertClassName } from '../../lib/format';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { Lines } from './Fields';

// What alerts of each class lead to, and whom never.
export function PoliciesPanel({ user }: { user: User }) {
  const policies = useQuery('firewall_policies', getPolicies);
  const mayChange = may(user, 'admin');
  const change = async (all: Policies, name: string, policy: Policy) => {
    try {
      await setPolicies({ ...all.policies, [name]: policy });
      notify(`${alertClassName(name)}: ${policy}.`);
    } catch (error) {
      notifyProblem(error);
    }
    policies.reload();
  };
  return (
    <Panel title="What alerts lead to" note="for each class of alerts">
      <Loaded query={policies} skeleton={<SkeletonLines count={4} height={28} />}>
        {(all) => (
          <ul className="policy-list">
            {all.classes.map((one) => (
              <li key={one.class} data-policy={one.class}>
                <label>
                  <span>{alertClassName(one.class)}</span>
                  <select
                    className="select"
                    value={all.policies[one.class] ?? 'propose'}
                    disabled={!mayChange}
                    aria-label={`What ${alertClassName(one.class)} leads to`}
                    onChange={(event) => void change(all, one.class, event.target.value as Policy)}
                  >
                    <option value="off">off</option>
                    <option value="propose">propose</option>
                    <option value="automatic" disabled={!one.may_be_automatic}>
                      automatic
                    </option>
                  </select>
                </label>
                {!one.may_be_automatic && <span className="muted">never automatic: {one.reason}</span>}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <AllowList mayChange={mayChange} />
    </Panel>
  );
}

function AllowList({ mayChange }: { mayChange: boolean }) {
  const query = useQuery('firewall_allow_list', getAllowList);
  const [editing, setEditing] = useState<string | null>(null);
  return (
    <div className="allow-list">
      <h3>Never blocked, by whomever</h3>
      <Loaded query={query} skeleton={<SkeletonLines count={1} height={20} />}>
        {(networks) => (
          <>
            {networks.length === 0 ? (
              <p className="muted">Nobody but what is never cut off anyway.</p>
            ) : (
              <ul className="chips">
                {networks.map((network) => (
                  <li key={network} className="mono">
                    {network}
                  </li>
                ))}
              </ul>
            )}
            {mayChange && (
              <button type="button" className="text-button" onClick={() => setEditing(networks.join('\n'))}>
                Change the allow list…
              </button>
            )}
          </>
        )}
      </Loaded>
      {editing !== null && (
        <Dialog title="Who is never blocked" onClose={() => setEditing(null)}>
          <p className="dialog-text">Blocks of those that are listed here are lifted at once.</p>
          <Form
            submit="Save the allow list"
            onSubmit={async () => {
              await setAllowList(listOf(editing));
              notify('Saved the allow list.');
              setEditing(null);
              query.reload();
            }}
          >
            <Lines
              label="Addresses and networks"
              value={editing}
              onChange={setEditing}
              hint="one a line: 192.0.2.0/24, 2001:db8::1"
            />
          </Form>
        </Dialog>
      )}
    </div>
  );
}
