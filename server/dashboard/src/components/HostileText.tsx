import { visible } from '../lib/text';
import { copy } from '../state/notices';

interface Props {
  text: string;
  className?: string;
}

// Text that a stranger chose: what is not seen is made visible, what is long is cut with the whole on hover, and its
// direction of writing stays its own.
export function HostileText({ text, className = '' }: Props) {
  const shown = visible(text);
  return (
    <span className={`hostile ${className}`} title={shown}>
      {shown}
    </span>
  );
}

// In panels: a few lines of it, and a click copies it as it came.
export function CopyHostile({ text, className = '' }: Props) {
  const shown = visible(text);
  return (
    <button
      type="button"
      className={`value hostile-lines ${className}`}
      title={`${shown}\n(click copies)`}
      onClick={() => void copy(text)}
    >
      {shown}
    </button>
  );
}
