import { useEffect, useState } from 'react';
import { useExtra } from '../state/view';
import { kSeverities } from './Severity';

interface SelectProps {
  label: string;
  value: string;
  choices: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

export function FilterSelect({ label, value, choices, onChange }: SelectProps) {
  return (
    <select className="select" aria-label={label} value={value} onChange={(e) => onChange(e.target.value)}>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

const kFromSeverity = [
  { value: '', label: 'Every severity' },
  ...kSeverities
    .filter((level) => level !== 'info')
    .map((level) => ({ value: level, label: level === 'critical' ? level : `${level} or worse` })),
];

export function SeverityFilter({ value, onChange }: Pick<SelectProps, 'value' | 'onChange'>) {
  return <FilterSelect label="Severity" value={value} choices={kFromSeverity} onChange={onChange} />;
}

interface TextProps {
  label: string;
  hint: string;
  wide?: boolean;
}

// A text that a list is filtered by, kept in the address under `name`; it counts when typing has stopped.
export function useTextFilter(name: string, { label, hint, wide }: TextProps): [string, React.ReactNode] {
  const [kept, keep] = useExtra(name);
  const [typed, setTyped] = useState(kept);
  useEffect(() => {
    const timer = setTimeout(() => keep(typed.trim()), 300);
    return () => clearTimeout(timer);
  }, [typed, keep]);
  const input = (
    <input
      className={`log-filter ${wide ? 'log-filter-text' : ''}`}
      aria-label={label}
      placeholder={hint}
      value={typed}
      spellCheck={false}
      onChange={(e) => setTyped(e.target.value)}
    />
  );
  return [kept, input];
}
