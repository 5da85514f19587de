import { useEffect, useState } from 'react';
import { getIncidents, type IncidentSummary } from '../api/operations';
import type { User } from '../api/types';
import { SeverityFilter } from '../components/Filters';
import { Icon } from '../components/Icon';
import { Segmented } from '../components/Segmented';
import { Severity } from '../components/Severity';
import { Empty, Loaded, SkeletonLines } from '../components/States';
import { RelativeTime } from '../components/Time';
import { isUnresolved } from '../lib/incidents';
import { plural } from '../lib/format';
import { useNow, useSmall } from '../state/hooks';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { linkTo, setView, useExtra, useView } from '../state/view';
import { CreateDialog } from './incidents/IncidentDialogs';
import { IncidentPage } from './incidents/IncidentPage';

export function Incidents({ user }: { user: User }) {
  const { item } = useView();
  return item ? <IncidentPage key={item} id={item} user={user} /> : <IncidentList user={user} />;
}

const kStates = [
  { value: 'unresolved', label: 'Unresolved' },
  { value: 'ended', label: 'Ended' },
  { value: 'all', label: 'All' },
];

function IncidentList({ user }: { user: User }) {
  const view = useView();
  const small = useSmall();
  const [state, setState] = useExtra('state', 'unresolved');
  const [severity, setSeverity] = useExtra('severity');
  const [text, setText] = useExtra('text');
  // From an alert: "#/incidents?from=ID&title=..."
  const { from, title } = view.extra;
  const [creating, setCreating] = useState(false);
  useEffect(() => {
    if (from && may(user, 'operator')) setCreating(true);
  }, [from, user]);
  const wanted = { state: state === 'all' ? '' : state, severity, text, limit: 200 };
  const query = useQuery(
    `incidents ${JSON.stringify(wanted)}`,
    (signal) => getIncidents(wanted, signal),
    15_000,
  );
  const list = query.data?.incidents ?? [];
  const close = () => {
    setCreating(false);
    if (from) setView({ extra: { from: '', title: '', severity: '' } }, 'replace');
  };
  return (
    <div className="explore">
      <div className="explore-main">
        <div className="explore-head incident-head">
          <h1 className="page-title">Incidents</h1>
          <span className="muted" role="status">
            {query.data
              ? `${plural(list.length, 'incident')}${query.data.next_cursor ? ' shown, narrow the search for the rest' : ''}`
              : ''}
          </span>
          <span className="panel-tools">
            <Segmented label="State" value={state} choices={kStates} onChange={setState} />
            <SeverityFilter value={from ? '' : severity} onChange={setSeverity} />
            <input
              className="select search"
              type="search"
              placeholder="Search"
              aria-label="Search incidents"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            {may(user, 'operator') && (
              <button type="button" className="button button-primary" onClick={() => setCreating(true)}>
                <Icon name="plus" />
                New incident
              </button>
            )}
          </span>
        </div>
        <div className="explore-scroll">
          <Loaded
            query={query}
            skeleton={
              <div className="explore-note">
                <SkeletonLines count={8} height={24} />
              </div>
            }
          >
            {() =>
              list.length === 0 ? (
                <NoIncidents filtered={Boolean(severity || text)} state={state} user={user} />
              ) : small ? (
                <IncidentCards list={list} />
              ) : (
                <IncidentTable list={list} />
              )
            }
          </Loaded>
        </div>
      </div>
      {creating && (
        <CreateDialog
          user={user}
          alert={from}
          title={title ?? ''}
          severity={from ? severity : ''}
          onClose={close}
          onDone={(id) => setView({ page: 'incidents', item: id })}
        />
      )}
    </div>
  );
}

function NoIncidents({ filtered, state, user }: { filtered: boolean; state: string; user: User }) {
  return (
    <div className="explore-note">
      <Empty>
        <p>
          {filtered
            ? 'No incident fits the search.'
            : state === 'unresolved'
              ? 'No incident is unresolved.'
              : 'There is no such incident.'}
        </p>
        <p>
          An incident keeps together what happened, who looks after it, and the evidence.{' '}
          {may(user, 'operator')
            ? 'Open one here, or from an alert.'
            : 'Operators and administrators can open one.'}
        </p>
        {(filtered || state !== 'all') && (
          <p className="empty-actions">
            <button
              type="button"
              className="button"
              onClick={() => setView({ extra: { state: 'all', severity: '', text: '' } }, 'replace')}
            >
              Show all incidents
            </button>
          </p>
        )}
      </Empty>
    </div>
  );
}

function IncidentTable({ list }: { list: IncidentSummary[] }) {
  const view = useView();
  const now = useNow(10_000);
  return (
    <table className="flow-table incident-table" aria-label="Incidents">
      <colgroup>
        <col className="col-severity" />
        <col className="col-id" />
        <col />
        <col className="col-state" />
        <col className="col-assignee" />
        <col className="col-time" />
        <col className="col-parts" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Severity</th>
          <th scope="col">Number</th>
          <th scope="col">What happened</th>
          <th scope="col">State</th>
          <th scope="col">Assignee</th>
          <th scope="col">Changed</th>
          <th scope="col">Holds</th>
        </tr>
      </thead>
      <tbody>
        {list.map((one) => (
          <tr key={one.id} data-row className={isUnresolved(one.state) ? '' : 'is-closed'}>
            <td>
              <Severity level={one.severity} />
            </td>
            <td className="mono">{one.id}</td>
            <td>
              <a
                className="row-button"
                href={linkTo(view, { page: 'incidents', item: one.id })}
                title={one.title}
              >
                {one.title}
              </a>
            </td>
            <td>{one.state}</td>
            <td>{one.assignee || <span className="muted">nobody</span>}</td>
            <td>
              <RelativeTime time={one.updated} now={now} zone={view.zone} />
            </td>
            <td className="muted">
              {[
                one.comments ? plural(one.comments, 'comment') : '',
                one.links ? plural(one.links, 'link') : '',
                one.evidence ? plural(one.evidence, 'file') : '',
              ]
                .filter(Boolean)
                .join(', ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function IncidentCards({ list }: { list: IncidentSummary[] }) {
  const view = useView();
  const now = useNow(10_000);
  return (
    <ul className="incident-cards">
      {list.map((one) => (
        <li key={one.id} data-row>
          <a href={linkTo(view, { page: 'incidents', item: one.id })}>
            <Severity level={one.severity} />
            <span className="muted">
              {one.state}, <RelativeTime time={one.updated} now={now} zone={view.zone} />
            </span>
            <span className="incident-card-title">{one.title}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
