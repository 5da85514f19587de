import { useState } from 'react';
import { block, type Scope } from '../api/firewall';
import { kDurations, scopeInWords } from '../lib/firewall';
import { notify } from '../state/notices';
import { may, session } from '../state/session';
import { useStore } from '../state/store';
import { Dialog } from './Dialog';
import { Field, Form } from './Form';
import { Segmented } from './Segmented';

interface Props {
  address: string;
  reason?: string;
  // The alert that calls for it: the block says so, and takes its scope from it.
  alertId?: string;
  // What of the traffic may be cut alone.
  scope?: Scope;
  className?: string;
  onDone?: () => void;
}

// Shown to those who may; the dialog says in words what happens to whom.
export function BlockButton({
  address,
  reason = '',
  alertId,
  scope,
  className = 'text-button bad',
  onDone,
}: Props) {
  const current = useStore(session);
  const [open, setOpen] = useState(false);
  if (current.phase !== 'signed_in' || !may(current.user, 'admin')) return null;
  return (
    <>
      <button type="button" className={className} title={`Block ${address}…`} onClick={() => setOpen(true)}>
        <span>Block {address}…</span>
      </button>
      {open && (
        <BlockDialog
          address={address}
          reason={reason.slice(0, 120)}
          alertId={alertId}
          scope={scope}
          onClose={() => setOpen(false)}
          onDone={onDone}
        />
      )}
    </>
  );
}

type Much = 'narrow' | 'all';

// What to cut can be chosen where something is known that is less than all.
function choicesOf(alertId: string | undefined, scope: Scope | undefined) {
  if (!alertId && !scope?.protocol) return null;
  return [
    { value: 'narrow' as const, label: alertId ? 'What the alert is about' : `Only ${scopeInWords(scope!)}` },
    { value: 'all' as const, label: 'All traffic' },
  ];
}

export function BlockDialog({
  address,
  reason: given,
  alertId,
  scope,
  onClose,
  onDone,
}: Props & { reason: string; onClose: () => void }) {
  const choices = choicesOf(alertId, scope);
  const [target, setTarget] = useState(address);
  const [seconds, setSeconds] = useState('3600');
  const [much, setMuch] = useState<Much>(choices ? 'narrow' : 'all');
  const [reason, setReason] = useState(given);
  const submit = async () => {
    const cut =
      much === 'all'
        ? { protocol: 'any' }
        : alertId
          ? {}
          : { protocol: scope?.protocol ?? 'any', ...(scope?.port == null ? {} : { port: scope.port }) };
    const made = await block({
      address: target.trim(),
      ...(Number(seconds) ? { seconds: Number(seconds) } : {}),
      ...(alertId ? { alert_id: alertId } : {}),
      ...cut,
      reason,
    });
    notify(`Blocked ${made.address}, ${scopeInWords(made.scope)}.`);
    onClose();
    onDone?.();
  };
  return (
    <Dialog title={address ? `Block ${address}?` : 'Block an address'} onClose={onClose}>
      <p className="dialog-text">
        {much === 'all'
          ? `Nothing passes between this machine and ${address || 'the address'} from now on, whatever the rules say.`
          : `What ${address} sends of it is dropped from now on, whatever the rules say.`}{' '}
        It ends by itself, and can be lifted on the page Firewall at any time.
      </p>
      <Form submit={address ? `Block ${address}` : 'Block'} danger onSubmit={submit}>
        {!address && <Field label="Address" value={target} onChange={setTarget} mono autoFocus />}
        {choices && (
          <div className="field">
            <span className="field-label">What</span>
            <Segmented label="What to cut" value={much} choices={choices} onChange={setMuch} />
          </div>
        )}
        <div className="field">
          <span className="field-label">For</span>
          <Segmented
            label="For how long"
            value={seconds}
            choices={alertId ? [...kDurations.slice(0, -1), kAsTheAlert] : kDurations}
            onChange={setSeconds}
          />
        </div>
        <Field label="Reason" value={reason} onChange={setReason} optional />
      </Form>
    </Dialog>
  );
}

// The server knows how long: longer each time the same host comes back, and lifted when it is over.
const kAsTheAlert = { value: '', label: 'Until it is over' };
