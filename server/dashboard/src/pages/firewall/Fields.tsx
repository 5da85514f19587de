import { useId } from 'react';
import type { RuleText } from '../../lib/firewall';

export type Setter = <K extends keyof RuleText>(name: K) => (value: RuleText[K]) => void;

interface CheckProps {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}

export function Check({ label, value, onChange }: CheckProps) {
  return (
    <label className="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.target.checked)} /> {label}
    </label>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  values: string[];
  onChange: (value: string) => void;
}

// The empty value is "any".
export function Choice({ label, value, values, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {values.map((name) => (
          <option key={name} value={name}>
            {name || 'any'}
          </option>
        ))}
      </select>
    </div>
  );
}

interface LinesProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint: string;
}

// Many short things, one a line.
export function Lines({ label, value, onChange, hint }: LinesProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="mono"
        rows={6}
        value={value}
        spellCheck={false}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      />
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}
