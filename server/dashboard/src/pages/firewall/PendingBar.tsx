import { useEffect, useState } from 'react';
import { confirmChange, rollBackChange, type Firewall } from '../../api/firewall';
import { change, rememberChange } from '../../state/firewallChange';
import { useNow } from '../../state/hooks';
import { notify, notifyProblem } from '../../state/notices';
import { useStore } from '../../state/store';

interface Props {
  state: Firewall;
  mayConfirm: boolean;
  onDone: () => void;
}

// A change that waits to be kept, counting down; or what became of the last one.
export function PendingBar({ state, mayConfirm, onDone }: Props) {
  const token = useStore(change);
  const now = useNow(250);
  const [busy, setBusy] = useState(false);
  // Counted from what the server said, so that a wrong clock here does not matter.
  const [end, setEnd] = useState<number | null>(null);
  const { pending } = state;
  useEffect(() => {
    setEnd(pending ? Date.now() + pending.seconds_left * 1000 : null);
  }, [pending]);

  if (!pending) {
    if (!state.rolled_back) return null;
    return (
      <p className="change-bar is-rolled-back" role="alert">
        <strong>Rolled back.</strong> {state.rolled_back}.
      </p>
    );
  }
  const left = Math.max(0, Math.round(((end ?? now) - now) / 1000));
  const act = async (what: (token: string) => Promise<unknown>, text: string) => {
    if (!token) return;
    setBusy(true);
    try {
      await what(token);
      rememberChange(null);
      notify(text);
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
      onDone();
    }
  };
  return (
    <div className="change-bar" role="alert">
      <p>
        <strong>New rules are in force{pending.by && `, applied by ${pending.by}`}.</strong> They are rolled
        back in <span className="countdown num">{left} s</span> unless somebody keeps them.
      </p>
      {mayConfirm && token ? (
        <span className="change-acts">
          <button
            type="button"
            className="button button-primary"
            disabled={busy}
            onClick={() => void act(confirmChange, 'Kept the new rules.')}
          >
            Keep
          </button>
          <button
            type="button"
            className="button"
            disabled={busy}
            onClick={() => void act(rollBackChange, 'Rolled back.')}
          >
            Roll back
          </button>
        </span>
      ) : (
        <span className="muted">Only where it was applied can it be kept.</span>
      )}
    </div>
  );
}
