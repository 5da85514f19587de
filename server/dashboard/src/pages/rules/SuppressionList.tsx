import { useState } from 'react';
import {
  changeSuppression,
  createSuppression,
  deleteSuppression,
  getSuppressions,
} from '../../api/endpoints';
import type { Suppression, User } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Icon } from '../../components/Icon';
import { Segmented } from '../../components/Segmented';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { AbsoluteTime } from '../../components/Time';
import { alertClassName, formatCount } from '../../lib/format';
import { parseTime } from '../../lib/time';
import { useNow } from '../../state/hooks';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { useView } from '../../state/view';

const kKinds = {
  suppression: 'Suppression',
  maintenance: 'Maintenance',
  allow: 'Allow list',
};

// In words: what has to fit, one part after the other.
function scopeOf(s: Suppression): string {
  const parts: string[] = [];
  const add = (name: string, values: string[]) => {
    if (values.length > 0) parts.push(`${name} ${values.join(', ')}`);
  };
  add(
    'class',
    s.classes.map((one) => alertClassName(one).toLowerCase()),
  );
  add('detector', s.detectors);
  add('from', s.sources);
  add('to', s.destinations);
  add('host', s.hosts);
  add('port', s.ports);
  add('domain', s.domains);
  if (s.weekly) parts.push(`${s.weekly} UTC`);
  return parts.join(' · ') || 'every alert';
}

export function SuppressionList({ user }: { user: User }) {
  const { zone } = useView();
  const now = useNow(30_000);
  const query = useQuery('suppressions', getSuppressions, 30_000);
  // null: a new one.
  const [editing, setEditing] = useState<Suppression | null | undefined>(undefined);
  const mayAct = may(user, 'operator');
  const remove = async (one: Suppression) => {
    try {
      await deleteSuppression(one.id);
      notify('Such alerts are shown again.');
      query.reload();
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <>
      <div className="list-head">
        <p className="muted">What is hidden is kept and counted; nobody is told of it.</p>
        {mayAct && (
          <button type="button" className="button button-primary" onClick={() => setEditing(null)}>
            <Icon name="plus" />
            New suppression
          </button>
        )}
      </div>
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={44} />}>
        {(all) =>
          all.length === 0 ? (
            <Empty>
              <p>Nothing is suppressed.</p>
              <p>From an alert, “Suppress…” (key x) hides others like it for a while.</p>
            </Empty>
          ) : (
            <ul className="card-list">
              {all.map((one) => {
                const over = one.expires !== null && parseTime(one.expires) <= now;
                return (
                  <li key={one.id} className={over ? 'is-resting' : ''}>
                    <div className="card-main">
                      <p className="card-title">
                        <strong>{kKinds[one.kind]}</strong>
                        <span className="count-hidden">{formatCount(one.hidden_alerts)} hidden</span>
                      </p>
                      <span className="wrap">{scopeOf(one)}</span>
                      <p>{one.reason}</p>
                      <p className="muted">
                        {one.author}
                        {one.created && (
                          <>
                            , <AbsoluteTime time={one.created} now={now} zone={zone} />
                          </>
                        )}
                        {one.expires ? (
                          <>
                            {over ? '; expired ' : '; until '}
                            <AbsoluteTime time={one.expires} now={now} zone={zone} />
                          </>
                        ) : (
                          '; until it is removed'
                        )}
                        {one.last_hidden && (
                          <>
                            ; last one <AbsoluteTime time={one.last_hidden} now={now} zone={zone} />
                          </>
                        )}
                      </p>
                    </div>
                    {mayAct && (
                      <span className="card-actions">
                        <button
                          type="button"
                          className="text-button"
                          aria-label={`Change ${one.reason}`}
                          onClick={() => setEditing(one)}
                        >
                          Change…
                        </button>
                        <button
                          type="button"
                          className="text-button bad"
                          aria-label={`Remove ${one.reason}`}
                          onClick={() => void remove(one)}
                        >
                          Remove
                        </button>
                      </span>
                    )}
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
      {editing !== undefined && (
        <SuppressionDialog
          old={editing}
          onClose={() => setEditing(undefined)}
          onDone={() => {
            setEditing(undefined);
            query.reload();
          }}
        />
      )}
    </>
  );
}

const list = (text: string) => text.split(/[\s,]+/).filter(Boolean);
const text = (values: string[] | undefined) => (values ?? []).join(', ');

interface DialogProps {
  old: Suppression | null;
  onClose: () => void;
  onDone: () => void;
}

const dayOf = (time: string | null | undefined) => {
  const ms = time ? parseTime(time) : NaN;
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : '';
};
// A day that was left alone keeps its hour.
const timeOf = (day: string, old: string | null | undefined, hour: string) =>
  old && day === dayOf(old) ? old : `${day}T${hour}Z`;

function SuppressionDialog({ old, onClose, onDone }: DialogProps) {
  const [kind, setKind] = useState<Suppression['kind']>(old?.kind ?? 'allow');
  const [hosts, setHosts] = useState(text(old?.hosts));
  const [sources, setSources] = useState(text(old?.sources));
  const [destinations, setDestinations] = useState(text(old?.destinations));
  const [ports, setPorts] = useState(text(old?.ports));
  const [domains, setDomains] = useState(text(old?.domains));
  const [detectors, setDetectors] = useState(text(old?.detectors));
  const [classes, setClasses] = useState(text(old?.classes));
  const [weekly, setWeekly] = useState(old?.weekly ?? '');
  const [begins, setBegins] = useState(dayOf(old?.begins));
  const [expires, setExpires] = useState(dayOf(old?.expires));
  const [reason, setReason] = useState(old?.reason ?? '');
  return (
    <Dialog title={old ? 'Change the suppression' : 'New suppression'} onClose={onClose}>
      <Form
        submit={old ? 'Save' : 'Create'}
        check={() => (reason.trim() ? null : 'Say why, for those who come after you.')}
        onSubmit={async () => {
          const wanted = {
            kind,
            reason: reason.trim(),
            hosts: list(hosts),
            sources: list(sources),
            destinations: list(destinations),
            ports: list(ports),
            domains: list(domains),
            detectors: list(detectors),
            classes: list(classes),
            ...(weekly.trim() ? { weekly: weekly.trim() } : {}),
            ...(begins ? { begins: timeOf(begins, old?.begins, '00:00:00') } : {}),
            ...(expires ? { expires: timeOf(expires, old?.expires, '23:59:59') } : {}),
          };
          await (old ? changeSuppression(old.id, wanted) : createSuppression(wanted));
          notify('It holds from now on.');
          onDone();
        }}
      >
        <Segmented
          label="Kind"
          value={kind}
          choices={[
            { value: 'allow', label: 'Allow list' },
            { value: 'maintenance', label: 'Maintenance' },
            { value: 'suppression', label: 'Suppression' },
          ]}
          onChange={setKind}
        />
        <p className="hint">All that you name has to fit; what you leave empty fits everything.</p>
        <Field
          label="Hosts"
          value={hosts}
          onChange={setHosts}
          mono
          optional
          hint="source or destination: 10.0.0.0/8, 192.0.2.7"
        />
        <div className="field-row">
          <Field label="Sources" value={sources} onChange={setSources} mono optional />
          <Field label="Destinations" value={destinations} onChange={setDestinations} mono optional />
        </div>
        <Field label="Ports" value={ports} onChange={setPorts} mono optional hint="443, 8000-8100" />
        <Field
          label="Domains"
          value={domains}
          onChange={setDomains}
          mono
          optional
          hint="and all below them"
        />
        <Field
          label="Detectors"
          value={detectors}
          onChange={setDetectors}
          mono
          optional
          hint="port_scan, rule:my-rule"
        />
        <Field
          label="Classes"
          value={classes}
          onChange={setClasses}
          mono
          optional
          hint="of alerts: port_scan, brute_force, traffic_anomaly"
        />
        <Field
          label="Weekly time (UTC)"
          value={weekly}
          onChange={setWeekly}
          mono
          optional
          hint="sat,sun 01:00-05:00"
        />
        <div className="field-row">
          <Field label="First day (UTC)" type="date" value={begins} onChange={setBegins} optional />
          <Field label="Last day (UTC)" type="date" value={expires} onChange={setExpires} optional />
        </div>
        <Field label="Reason" value={reason} onChange={setReason} optional />
      </Form>
    </Dialog>
  );
}
