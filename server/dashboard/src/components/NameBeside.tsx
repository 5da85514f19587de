import type { HostName } from '../api/types';
import { formatAbsolute, parseTime } from '../lib/time';
import { useView } from '../state/view';
import { HostileText } from './HostileText';

// By what an address was known, beside it, and when it was seen to be. Whoever can forge answers on the network can forge
// names, so it is never instead of the address.
export function NameBeside({ name }: { name: HostName | undefined }) {
  const view = useView();
  if (!name) return null;
  const seen = `seen ${formatAbsolute(parseTime(name.first_seen), view.zone)} to ${formatAbsolute(parseTime(name.last_seen), view.zone)}`;
  return (
    <span className="name-beside muted" title={`${name.name}: ${seen}`}>
      <HostileText text={name.name} />
    </span>
  );
}
