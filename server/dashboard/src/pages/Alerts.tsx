import { useState } from 'react';
import { acknowledgeAlert, getThreats, unacknowledgeAlert } from '../api/endpoints';
import type { Alert, Threat, User } from '../api/types';
import { AlertDetail, alertTitle, measured } from '../components/AlertDetail';
import { FilterSelect, SeverityFilter } from '../components/Filters';
import { NotLoaded } from '../components/NotLoaded';
import { Segmented } from '../components/Segmented';
import { Severity } from '../components/Severity';
import { SuppressDialog } from '../components/SuppressDialog';
import { Empty, Loaded, SkeletonLines } from '../components/States';
import { RelativeTime } from '../components/Time';
import { FilterValue } from '../components/Value';
import { alertClassName, plural } from '../lib/format';
import { describeRange } from '../lib/time';
import { isTyping, useKey, useNow, useSmall } from '../state/hooks';
import { notify, notifyProblem } from '../state/notices';
import { useQuery } from '../state/query';
import { refreshMs } from '../state/refresh';
import { may } from '../state/session';
import { useAlerts, type AlertFilter } from '../state/traffic';
import { setView, useExtra, useView, widen } from '../state/view';

const kClasses = [
  'port_scan',
  'host_sweep',
  'syn_flood',
  'udp_flood',
  'icmp_flood',
  'amplification',
  'brute_force',
  'beacon',
  'dns_tunnel',
  'exfiltration',
  'arp_spoof',
  'traffic_anomaly',
  'rare_peer',
  'policy',
  'unauthorised_access',
  'flash_crowd',
];
const kClassChoices = [
  { value: '', label: 'Every class' },
  ...kClasses.map((name) => ({ value: name, label: alertClassName(name) })),
];

type Box = 'inbox' | 'all' | 'hidden' | 'threats';
const kBoxes: { value: Box; label: string }[] = [
  { value: 'inbox', label: 'Inbox' },
  { value: 'all', label: 'All' },
  { value: 'hidden', label: 'Hidden' },
  { value: 'threats', label: 'By class' },
];
const kBoxFilters: Record<Box, AlertFilter> = {
  inbox: { suppressed: 'no', acknowledged: 'no' },
  all: { suppressed: 'no', acknowledged: 'all' },
  hidden: { suppressed: 'yes', acknowledged: 'all' },
  threats: { suppressed: 'no', acknowledged: 'all' },
};

export function Alerts({ user }: { user: User }) {
  const view = useView();
  const [boxName, setBox] = useExtra('box', 'inbox');
  const box = kBoxes.find((one) => one.value === boxName)?.value ?? 'inbox';
  const mayAct = may(user, 'operator');
  const [suppressing, setSuppressing] = useState<Alert | null>(null);
  const small = useSmall();
  const [cls, setClass] = useExtra('class');
  const [severity, setSeverity] = useExtra('severity');
  const [openId, setOpenId] = useExtra('alert');
  const [cursor, setCursor] = useState(-1);
  const { query, alerts, more } = useAlerts(view, {
    ...kBoxFilters[box],
    class: cls || undefined,
    severity: severity || undefined,
  });
  const list = alerts ?? [];
  const opened = list.find((alert) => String(alert.id) === openId);
  const open = list.filter((alert) => alert.state !== 'closed').length;
  const kinds = cls || severity ? 'alerts of this kind' : 'alerts';

  useKey((event) => {
    if (isTyping(event) || document.querySelector('dialog[open]') || list.length === 0) return;
    if (event.key === 'j' || event.key === 'k') {
      const next = Math.max(0, Math.min(list.length - 1, cursor + (event.key === 'j' ? 1 : -1)));
      setCursor(next);
      document.querySelectorAll('[data-row]')[next]?.scrollIntoView({ block: 'nearest' });
      if (opened) setOpenId(String(list[next]!.id));
    } else if ((event.key === 'a' || event.key === 'e') && mayAct && (opened ?? list[cursor])) {
      void toggleAcknowledged((opened ?? list[cursor])!);
    } else if ((event.key === 's' || event.key === 'x') && mayAct && (opened ?? list[cursor])) {
      event.preventDefault();
      setSuppressing((opened ?? list[cursor])!);
    } else if (event.key === 'Enter' && event.target === document.body && list[cursor]) {
      setOpenId(String(list[cursor].id));
    }
  });

  const toggleAcknowledged = async (alert: Alert) => {
    try {
      const has = Boolean(alert.handling?.acknowledged_by);
      await (has ? unacknowledgeAlert(alert.id) : acknowledgeAlert(alert.id));
      notify(has ? 'Back in the inbox.' : 'Acknowledged; it is under All.');
      query.reload();
    } catch (error) {
      notifyProblem(error);
    }
  };
  const choose = (alert: Alert, index: number) => {
    setCursor(index);
    setOpenId(String(alert.id));
  };
  const rowClass = (alert: Alert, i: number) =>
    `${i === cursor ? 'is-cursor' : ''} ${alert === opened ? 'is-open' : ''} ${alert.state === 'closed' ? 'is-closed' : ''}`;
  return (
    <div className={`explore ${opened ? 'has-detail' : ''}`}>
      <div className="explore-main">
        <div className="explore-head">
          <h1 className="page-title">Alerts</h1>
          <span className="muted" role="status">
            {alerts
              ? `${open} open, ${plural(list.length, 'alert')}${more ? ' shown, narrow the range for the rest' : ''}`
              : ''}
          </span>
          <Segmented label="Which alerts" value={box} choices={kBoxes} onChange={setBox} />
          {/* The classes are counted whatever is chosen of them. */}
          {box !== 'threats' && (
            <span className="panel-tools">
              <SeverityFilter value={severity} onChange={setSeverity} />
              <FilterSelect label="Class" value={cls} choices={kClassChoices} onChange={setClass} />
            </span>
          )}
        </div>
        <div className="explore-scroll">
          {box === 'threats' ? (
            <Threats />
          ) : (
            <Loaded
              query={query}
              skeleton={
                <div className="explore-note">
                  <SkeletonLines count={14} height={24} />
                </div>
              }
            >
              {() =>
                list.length === 0 ? (
                  <div className="explore-note">
                    <Empty>
                      {box === 'inbox' && <p>Nothing waits for you.</p>}
                      <p>
                        No {kinds} in this range ({describeRange(view.range, view.zone).toLowerCase()}).
                      </p>
                      <p className="empty-actions">
                        <button type="button" className="button" onClick={widen}>
                          Widen the range
                        </button>
                        {(cls || severity) && (
                          <button
                            type="button"
                            className="button"
                            onClick={() => setView({ extra: { class: '', severity: '' } }, 'replace')}
                          >
                            Show every kind
                          </button>
                        )}
                      </p>
                    </Empty>
                  </div>
                ) : small ? (
                  <AlertCards list={list} rowClass={rowClass} onChoose={choose} />
                ) : (
                  <AlertTable
                    list={list}
                    rowClass={rowClass}
                    onChoose={choose}
                    narrow={opened !== undefined}
                  />
                )
              }
            </Loaded>
          )}
        </div>
      </div>
      {opened && (
        <AlertDetail
          alert={opened}
          onClose={() => setOpenId('')}
          onChanged={mayAct ? query.reload : undefined}
          onSuppress={mayAct ? () => setSuppressing(opened) : undefined}
        />
      )}
      {suppressing && (
        <SuppressDialog
          alert={suppressing}
          onClose={() => setSuppressing(null)}
          onDone={() => {
            notify('Alerts like this one are hidden from now on; see Rules, Suppressions.');
            setSuppressing(null);
          }}
        />
      )}
      {alerts && openId && !opened && <NotLoaded what={`Alert ${openId}`} onClose={() => setOpenId('')} />}
    </div>
  );
}

interface ListProps {
  list: Alert[];
  rowClass: (alert: Alert, index: number) => string;
  onChoose: (alert: Alert, index: number) => void;
}

// Beside an open detail, which names the parties, their columns give way to the words.
function AlertTable({ list, rowClass, onChoose, narrow }: ListProps & { narrow: boolean }) {
  const { zone } = useView();
  const now = useNow(1000);
  const party = (address: string | null | undefined) =>
    address ? (
      <FilterValue field="host" value={address} inTable className="mono" />
    ) : (
      <span className="muted">any</span>
    );
  return (
    <table className="flow-table alert-table" aria-label="Alerts">
      <colgroup>
        <col className="col-severity" />
        <col className="col-time" />
        <col className="col-class" />
        <col />
        {!narrow && (
          <>
            <col className="col-party" />
            <col className="col-party" />
          </>
        )}
        <col className="col-measure" />
        <col className="col-state" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Severity</th>
          <th scope="col">Time</th>
          <th scope="col">Kind</th>
          <th scope="col">What happened</th>
          {!narrow && (
            <>
              <th scope="col">Source</th>
              <th scope="col">Destination</th>
            </>
          )}
          <th scope="col" className="num">
            Observed
          </th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {list.map((alert, i) => (
          <tr
            key={String(alert.id)}
            data-row
            className={rowClass(alert, i)}
            onClick={() => onChoose(alert, i)}
          >
            <td>
              <Severity level={alert.severity} />
            </td>
            <td>
              <RelativeTime time={alert.time} now={now} zone={zone} />
            </td>
            <td title={alertClassName(alert.class)}>{alertTitle(alert)}</td>
            <td>
              <button
                type="button"
                className="row-button"
                title={alert.summary}
                onClick={() => onChoose(alert, i)}
              >
                {alert.summary}
              </button>
            </td>
            {!narrow && (
              <>
                <td>{party(alert.entity?.source)}</td>
                <td>{party(alert.entity?.destination)}</td>
              </>
            )}
            <td className="num" title={measured(alert.observed, alert.unit)}>
              {measured(alert.observed, alert.unit)}
            </td>
            <td>
              {alert.state}
              {alert.count > 1 ? <span className="muted"> ×{alert.count}</span> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AlertCards({ list, rowClass, onChoose }: ListProps) {
  const { zone } = useView();
  const now = useNow(1000);
  return (
    <ul className="alert-list alert-cards">
      {list.map((alert, i) => (
        <li key={String(alert.id)} data-row className={rowClass(alert, i)}>
          <button type="button" onClick={() => onChoose(alert, i)}>
            <Severity level={alert.severity} />
            <span className="alert-list-time">
              {alert.state}, <RelativeTime time={alert.time} now={now} zone={zone} />
            </span>
            <span className="alert-list-text">{alert.summary}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

// How much of what kind, and who is behind it; a row leads to its alerts.
function Threats() {
  const view = useView();
  const { zone } = view;
  const now = useNow(1000);
  const small = useSmall();
  const query = useQuery(
    `threats ${view.range.since} ${view.range.until}`,
    (signal) => getThreats(view.range, signal),
    refreshMs(view.range),
  );
  return (
    <Loaded
      query={query}
      skeleton={
        <div className="explore-note">
          <SkeletonLines count={6} height={28} />
        </div>
      }
    >
      {(threats) =>
        threats.length === 0 ? (
          <div className="explore-note">
            <Empty>
              <p>No alerts of any class in this range.</p>
            </Empty>
          </div>
        ) : small ? (
          <ThreatCards threats={threats} now={now} />
        ) : (
          <div className="data-table-wide">
            <table className="data-table threat-table" aria-label="Alerts by class">
              <thead>
                <tr>
                  <th scope="col">Class</th>
                  <th scope="col">Worst</th>
                  <th scope="col" className="num">
                    Alerts
                  </th>
                  <th scope="col" className="num">
                    Open
                  </th>
                  <th scope="col" className="num">
                    Hidden
                  </th>
                  <th scope="col">Last</th>
                  <th scope="col">Sources</th>
                  <th scope="col">Destinations</th>
                </tr>
              </thead>
              <tbody>
                {threats.map((threat) => (
                  <tr key={threat.class}>
                    <th scope="row">
                      <ThreatClass threat={threat} />
                    </th>
                    <td>
                      <Severity level={threat.worst} />
                    </td>
                    <td className="num">{threat.alerts}</td>
                    <td className="num">{threat.open}</td>
                    <td className="num">{threat.suppressed}</td>
                    <td>{threat.last ? <RelativeTime time={threat.last} now={now} zone={zone} /> : '–'}</td>
                    <td>{addresses(threat.sources)}</td>
                    <td>{addresses(threat.destinations)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Loaded>
  );
}

const ThreatClass = ({ threat }: { threat: Threat }) => (
  <button
    type="button"
    className="text-button"
    onClick={() => setView({ extra: { class: threat.class, box: 'all' } })}
  >
    {alertClassName(threat.class)}
  </button>
);

function ThreatCards({ threats, now }: { threats: Threat[]; now: number }) {
  const { zone } = useView();
  return (
    <ul className="alert-list alert-cards threat-cards">
      {threats.map((threat) => (
        <li key={threat.class}>
          <strong>
            <ThreatClass threat={threat} />
          </strong>
          <Severity level={threat.worst} />
          <span>
            {plural(threat.alerts, 'alert')}, {threat.open} open
            {threat.suppressed > 0 && `, ${threat.suppressed} hidden`}
          </span>
          <span className="muted">
            {threat.last && <RelativeTime time={threat.last} now={now} zone={zone} />}
          </span>
          {threat.sources.length > 0 && (
            <div className="threat-parties">
              <span className="muted">From</span> {addresses(threat.sources)}
            </div>
          )}
          {threat.destinations.length > 0 && (
            <div className="threat-parties">
              <span className="muted">To</span> {addresses(threat.destinations)}
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

const addresses = (list: Threat['sources']) =>
  list.length === 0 ? (
    <span className="muted">–</span>
  ) : (
    list.map((one) => (
      <span key={one.address} className="threat-address mono">
        {one.address} <span className="muted">×{one.alerts}</span>
      </span>
    ))
  );
