import type { KeyboardEvent, ReactNode } from 'react';

interface Props<T extends string> {
  label: string;
  value: T;
  choices: { value: T; label: string; picture?: ReactNode }[];
  onChange: (value: T) => void;
}

const kSteps: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

// One of a few, all of them in sight. For the keyboard it is one stop: the arrows choose, as among radio buttons.
export function Segmented<T extends string>({ label, value, choices, onChange }: Props<T>) {
  const chosen = choices.findIndex((choice) => choice.value === value);
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const step = kSteps[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (Math.max(chosen, 0) + step + choices.length) % choices.length;
    (event.currentTarget.children[next] as HTMLElement).focus();
    onChange(choices[next]!.value);
  };
  return (
    <span className="segmented" role="radiogroup" aria-label={label} onKeyDown={onKey}>
      {choices.map((choice, i) => (
        <button
          key={choice.value}
          type="button"
          role="radio"
          aria-checked={i === chosen}
          tabIndex={i === Math.max(chosen, 0) ? 0 : -1}
          onClick={() => onChange(choice.value)}
          {...(choice.picture ? { 'aria-label': choice.label, title: choice.label } : {})}
        >
          {choice.picture ?? choice.label}
        </button>
      ))}
    </span>
  );
}
