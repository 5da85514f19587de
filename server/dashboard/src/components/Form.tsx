import { useId, useState, type FormEvent, type ReactNode } from 'react';
import { sentence } from '../lib/format';
import { toProblem, type Problem } from '../api/problem';

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: string;
  hint?: string;
  autoComplete?: string;
  autoFocus?: boolean;
  mono?: boolean;
  optional?: boolean;
}

export function Field({
  label,
  value,
  onChange,
  type = 'text',
  hint,
  autoComplete,
  autoFocus,
  mono,
  optional,
}: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className={mono ? 'mono' : ''}
        type={type}
        value={value}
        required={!optional}
        autoComplete={autoComplete}
        autoFocus={autoFocus}
        spellCheck={false}
        autoCapitalize="off"
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface FormProps {
  submit: string;
  danger?: boolean;
  check?: () => string | null;
  onSubmit: () => Promise<void>;
  children: ReactNode;
}

// What was typed is never lost: a problem appears above the button, and the fields stay as they are.
export function Form({ submit, danger, check, onSubmit, children }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const onSubmitEvent = async (event: FormEvent) => {
    event.preventDefault();
    const complaint = check?.() ?? null;
    setWrong(complaint);
    setProblem(null);
    if (complaint || busy) return;
    setBusy(true);
    try {
      await onSubmit();
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="form" onSubmit={(event) => void onSubmitEvent(event)}>
      {children}
      {/* Together, so that neither is out of sight of the other in a long form. */}
      <div className="form-submit">
        {wrong && (
          <p className="form-problem" role="alert">
            {wrong}
          </p>
        )}
        {problem && (
          <p className="form-problem" role="alert">
            {sentence(problem.detail)}
            {problem.kind === 'limited' && problem.retryAfterSeconds
              ? ` Try again in ${problem.retryAfterSeconds} s.`
              : ''}
          </p>
        )}
        <button
          type="submit"
          className={`button ${danger ? 'button-danger' : 'button-primary'}`}
          disabled={busy}
          aria-busy={busy}
        >
          {submit}
        </button>
      </div>
    </form>
  );
}
