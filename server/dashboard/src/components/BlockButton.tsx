import { useState } from 'react';
import { blockAddress } from '../api/firewall';
import { kDurations } from '../lib/firewall';
import { notify } from '../state/notices';
import { may, session } from '../state/session';
import { useStore } from '../state/store';
import { Dialog } from './Dialog';
import { Field, Form } from './Form';
import { Segmented } from './Segmented';

interface Props {
  address: string;
  reason?: string;
  onDone?: () => void;
}

// Only what a rule's comment may hold; the server refuses anything else.
const plain = (text: string) => text.replace(/[^A-Za-z0-9 .,:/()@+=_-]/g, ' ').slice(0, 120);

// Shown to those who may; the dialog says in words what happens to whom.
export function BlockButton({ address, reason = '', onDone }: Props) {
  const current = useStore(session);
  const [open, setOpen] = useState(false);
  if (current.phase !== 'signed_in' || !may(current.user, 'admin')) return null;
  return (
    <>
      <button type="button" className="text-button bad" onClick={() => setOpen(true)}>
        Block {address}…
      </button>
      {open && (
        <BlockDialog
          address={address}
          reason={plain(reason)}
          onClose={() => setOpen(false)}
          onDone={onDone}
        />
      )}
    </>
  );
}

export function BlockDialog({
  address,
  reason: given,
  onClose,
  onDone,
}: {
  address: string;
  reason: string;
  onClose: () => void;
  onDone?: () => void;
}) {
  const [target, setTarget] = useState(address);
  const [seconds, setSeconds] = useState('3600');
  const [reason, setReason] = useState(given);
  return (
    <Dialog title={address ? `Block ${address}?` : 'Block an address'} onClose={onClose}>
      <p className="dialog-text">
        Nothing passes between this machine and {address || 'the address'} from now on, whatever the rules
        say. It ends by itself, and can be lifted on the page Firewall at any time.
      </p>
      <Form
        submit={address ? `Block ${address}` : 'Block'}
        danger
        onSubmit={async () => {
          await blockAddress(target.trim(), Number(seconds) || undefined, reason);
          notify(`Blocked ${target.trim()}.`);
          onClose();
          onDone?.();
        }}
      >
        {!address && <Field label="Address" value={target} onChange={setTarget} mono autoFocus />}
        <div className="field">
          <span className="field-label">For</span>
          <Segmented label="For how long" value={seconds} choices={kDurations} onChange={setSeconds} />
        </div>
        <Field label="Reason" value={reason} onChange={setReason} optional />
      </Form>
    </Dialog>
  );
}
