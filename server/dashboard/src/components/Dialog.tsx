import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Icon } from './Icon';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

// What a person who opens a dialog wants to do first: fill in its first field. Where it asks before it destroys, there is
// none, and the focus stays on the cross. A keyboard that covers half of a small screen waits until it is asked for.
function focusFirst(dialog: HTMLDialogElement): void {
  if (window.matchMedia('(pointer: coarse)').matches) return;
  const fields = dialog.querySelectorAll<HTMLInputElement>(
    'input:not(:disabled, [type=hidden]), select:not(:disabled), textarea:not(:disabled)',
  );
  const first = [...fields].find((field) => field.type !== 'radio' || field.checked);
  first?.focus();
}

// The browser's own modal dialog: it keeps the focus inside, closes on Esc, and gives the focus back.
export function Dialog({ title, onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  // Known before any field of the dialog takes the focus.
  const [opener] = useState(() => document.activeElement as HTMLElement | null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) {
      dialog.showModal();
      focusFirst(dialog);
    }
    return () => {
      dialog?.close();
      // What opened it may be gone, as the row of a user who was just deleted.
      (opener?.isConnected ? opener : document.getElementById('main'))?.focus();
    };
  }, [opener]);
  return (
    <dialog
      ref={ref}
      className="dialog"
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="dialog-body">
        <div className="dialog-head">
          <h2>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
