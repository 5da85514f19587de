import type { Host, HostName } from '../../api/types';
import { HostileText } from '../../components/HostileText';
import { RelativeTime } from '../../components/Time';
import { CopyButton } from '../../components/Value';
import { formatBytes, plural } from '../../lib/format';
import { formatAbsolute, parseTime, type Zone } from '../../lib/time';
import { useNow } from '../../state/hooks';
import type { Query } from '../../state/query';
import { linkTo, useView } from '../../state/view';

const kMostNames = 6;

interface Props {
  address: string;
  query: Query<Host>;
  flowsLink: string;
}

// Who this is, since when and how much, before any chart.
export function HostHead({ address, query, flowsLink }: Props) {
  const view = useView();
  const now = useNow(1000);
  const host = query.data;
  const names = host?.names ?? [];
  return (
    <header className="headline host-head">
      <p className="host-back">
        <a href={linkTo(view, { page: 'hosts' })}>Hosts</a>
      </p>
      <h1>
        <span className="host-address">{address}</span>
        <CopyButton text={address} />
        {names[0] && <HostileText text={names[0].name} className="host-name" />}
      </h1>
      <p className="headline-sub">
        {!host ? (
          query.problem ? (
            ''
          ) : (
            <span className="skeleton-line headline-skeleton-sub" />
          )
        ) : host.first_seen === null || host.last_seen === null ? (
          <>Silent in this range. </>
        ) : (
          <>
            {formatBytes(host.sent_bytes)} sent, {formatBytes(host.received_bytes)} received in{' '}
            {plural(host.total.flows, 'flow')}; first seen{' '}
            {formatAbsolute(parseTime(host.first_seen), view.zone)}, last{' '}
            <RelativeTime time={host.last_seen} now={now} zone={view.zone} />.{' '}
          </>
        )}
        <a href={flowsLink}>Its flows</a>
      </p>
      {names.length > 0 && (
        <ul className="host-names" aria-label="Names">
          {names.slice(0, kMostNames).map((name) => (
            <li key={`${name.name} ${name.origin}`}>
              <HostileText text={name.name} className="mono" />{' '}
              <span className="muted">{validity(name, view.zone)}</span>
            </li>
          ))}
          {host?.names_complete === false && <li className="muted">names of older flows not looked at</li>}
          {names.length > kMostNames && (
            <li className="muted">and {plural(names.length - kMostNames, 'more name')}</li>
          )}
        </ul>
      )}
      {host && names.length === 0 && <p className="muted">No name known: none was resolved or asked for.</p>}
    </header>
  );
}

const kOrigins: Record<HostName['origin'], string> = {
  known_as: 'known by DNS, DHCP or TLS',
  asked_for: 'clients asked it for this name',
};

// Nobody knows how long a name was valid, only when it was seen to be.
function validity(name: HostName, zone: Zone): string {
  const [first, last] = [parseTime(name.first_seen), parseTime(name.last_seen)];
  return `${kOrigins[name.origin] ?? name.origin}, seen ${formatAbsolute(first, zone)} to ${formatAbsolute(last, zone)}`;
}
