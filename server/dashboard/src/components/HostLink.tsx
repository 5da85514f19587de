import { linkTo, useView } from '../state/view';
import { HostileText } from './HostileText';

// An address that leads to its page, with its name beside it.
export function HostLink({ address, name }: { address: string; name?: string | null }) {
  const view = useView();
  return (
    <span className="host-link">
      <a className="mono" href={linkTo(view, { page: 'hosts', item: address })}>
        {address}
      </a>
      {name && <HostileText text={name} className="muted" />}
    </span>
  );
}
