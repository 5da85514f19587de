import type { Flow } from '../api/types';
import { applicationOf } from '../lib/applications';
import { seriesClass } from '../lib/colors';
import { FilterValue } from './Value';

// The application in a table. A guess looks like one and says so.
export function ApplicationValue({ flow }: { flow: Flow }) {
  const known = applicationOf(flow);
  if (!known) return <span className="muted">–</span>;
  const { key, text, evidence } = known;
  return (
    <FilterValue
      field="app"
      value={key}
      inTable
      className={evidence.isGuess ? 'guess' : ''}
      note={`${text}: ${evidence.short}`}
    >
      <span className={`swatch ${seriesClass(key)} ${evidence.isGuess ? 'swatch-guess' : ''}`} />
      {text}
      {evidence.isGuess && '?'}
    </FilterValue>
  );
}
