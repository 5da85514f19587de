import { useId, useState, type ReactNode } from 'react';

// A word with its meaning: on hover, and for fingers and keyboards on a click, below it.
export function Explained({ text, children }: { text: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <>
      <button
        type="button"
        className="explained"
        title={text}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {children}
      </button>
      {open && (
        <span className="explanation" id={id} role="note">
          {text}
        </span>
      )}
    </>
  );
}
