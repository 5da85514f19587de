import { useEffect, useRef, useState, type ReactNode } from 'react';

interface Props {
  label: string;
  button: ReactNode;
  buttonClass?: string;
  align?: 'left' | 'right';
  children: (close: () => void) => ReactNode;
}

const currentPage = () => window.location.hash.split('?')[0];

// A button with a small panel below; closes on Esc, on a click outside, when the focus leaves it, and with the page.
export function Popover({ label, button, buttonClass = 'button', align = 'right', children }: Props) {
  const [open, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  const buttonRef = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!ref.current?.contains(event.target as Node)) setOpen(false);
    };
    const page = currentPage();
    const moved = () => {
      if (currentPage() !== page) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    window.addEventListener('hashchange', moved);
    return () => {
      document.removeEventListener('pointerdown', outside);
      window.removeEventListener('hashchange', moved);
    };
  }, [open]);
  const close = () => {
    setOpen(false);
    buttonRef.current?.focus();
  };
  return (
    <div
      className="popover-anchor"
      ref={ref}
      onKeyDown={(event) => {
        if (open && event.key === 'Escape') {
          event.preventDefault();
          event.stopPropagation();
          close();
        }
      }}
      onBlur={(event) => {
        if (event.relatedTarget && !ref.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        ref={buttonRef}
        className={buttonClass}
        aria-expanded={open}
        aria-haspopup="dialog"
        aria-label={label}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div className={`popover popover-${align}`} role="dialog" aria-label={label}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
