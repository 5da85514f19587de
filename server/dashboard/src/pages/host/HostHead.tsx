import type { Host, HostName } from '../../api/types';
import { HostileText } from '../../components/HostileText';
import { RelativeTime } from '../../components/Time';
import { CopyButton } from '../../components/Value';
import { formatBytes, plural } from '../../lib/format';
import { formatAbsolute, parseTime } from '../../lib/time';
import { useNow } from '../../state/hooks';
import type { Query } from '../../state/query';
import { linkTo, useView } from '../../state/view';

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
          {names.map((name) => (
            <li key={`${name.name} ${name.source}`}>
              <HostileText text={name.name} className="mono" />{' '}
              <span className="muted">{validity(name, now, view.zone)}</span>
            </li>
          ))}
        </ul>
      )}
      {host && names.length === 0 && <p className="muted">No name known: none was resolved or asked for.</p>}
    </header>
  );
}

const kSources: Record<string, string> = {
  dns: 'from a DNS answer',
  tls: 'asked for in TLS',
  http: 'asked for in HTTP',
  dhcp: 'it calls itself so',
};

function validity(name: HostName, now: number, zone: 'local' | 'utc'): string {
  const source = kSources[name.source] ?? name.source;
  const until = parseTime(name.expires);
  const words = until < now ? 'was valid until' : 'valid until';
  return Number.isFinite(until) ? `${source}, ${words} ${formatAbsolute(until, zone)}` : source;
}
