import { useState } from 'react';
import {
  changeIncident,
  commentIncident,
  exportIncident,
  getIncident,
  type Incident,
  type IncidentState,
} from '../../api/operations';
import type { User } from '../../api/types';
import { Form } from '../../components/Form';
import { Icon } from '../../components/Icon';
import { Severity } from '../../components/Severity';
import { Facts } from '../../components/SidePanel';
import { Empty, ProblemBox, SkeletonLines, StaleLine } from '../../components/States';
import { AbsoluteTime, RelativeTime } from '../../components/Time';
import { entryInWords, kIncidentStates } from '../../lib/incidents';
import { useNow } from '../../state/hooks';
import { notify, notifyProblem } from '../../state/notices';
import { useQuery } from '../../state/query';
import { may } from '../../state/session';
import { linkTo, setView, useView } from '../../state/view';
import { ChangeDialog, DeleteDialog, EvidenceDialog, LinkDialog, TextArea } from './IncidentDialogs';
import { EvidenceList, LinkList } from './IncidentParts';

export function IncidentPage({ id, user }: { id: string; user: User }) {
  const view = useView();
  const query = useQuery(`incident ${id}`, (signal) => getIncident(id, signal), 15_000);
  if (query.data) return <Page incident={query.data} user={user} query={query} />;
  if (query.problem?.status === 404) {
    return (
      <Empty>
        <p>There is no incident {id}. It may have been deleted.</p>
        <p>
          <a className="button" href={linkTo(view, { page: 'incidents' })}>
            All incidents
          </a>
        </p>
      </Empty>
    );
  }
  return (
    <div className="incident" aria-busy={!query.problem}>
      {query.problem ? (
        <ProblemBox problem={query.problem} onRetry={query.reload} />
      ) : (
        <SkeletonLines count={10} height={24} />
      )}
    </div>
  );
}

interface PageProps {
  incident: Incident;
  user: User;
  query: ReturnType<typeof useQuery<Incident>>;
}
type Asked = 'change' | 'delete' | 'evidence' | 'link' | null;

function Page({ incident: loaded, user, query }: PageProps) {
  const view = useView();
  const [answered, setAnswered] = useState<Incident | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  // The answer to what was just done is newer than what was loaded before.
  const incident = answered && answered.version > loaded.version ? answered : loaded;
  const mayAct = may(user, 'operator');
  const done = (text: string) => (changed: Incident) => {
    setAnswered(changed);
    setAsked(null);
    notify(text);
    query.reload();
  };
  const attempt = async (act: () => Promise<Incident | void>, text: string) => {
    try {
      const changed = await act();
      if (changed) done(text)(changed);
      else notify(text);
    } catch (error) {
      notifyProblem(error);
      query.reload();
    }
  };
  const change = (what: { state?: IncidentState; assignee?: string }, text: string) =>
    void attempt(() => changeIncident(incident.id, { version: incident.version, ...what }), text);
  return (
    <div className="incident">
      <StaleLine query={query} />
      <p className="host-back">
        <a href={linkTo(view, { page: 'incidents' })}>All incidents</a>
      </p>
      <div className="incident-title">
        <h1>{incident.title}</h1>
        <span className="panel-tools">
          <button
            type="button"
            className="button"
            onClick={() => void attempt(() => exportIncident(incident.id), 'Exported as one tar file.')}
          >
            <Icon name="download" /> Export
          </button>
          {mayAct && (
            <button type="button" className="button" onClick={() => setAsked('change')}>
              Change…
            </button>
          )}
          {may(user, 'admin') && (
            <button type="button" className="text-button bad" onClick={() => setAsked('delete')}>
              Delete…
            </button>
          )}
        </span>
      </div>
      <div className="incident-columns">
        <div className="incident-main">
          {incident.description && <p className="incident-text">{incident.description}</p>}
          <Timeline incident={incident} />
          {mayAct && <CommentForm id={incident.id} onDone={done('Added the comment.')} />}
        </div>
        <div className="incident-side">
          <State incident={incident} user={user} mayAct={mayAct} onChange={change} />
          <section aria-label="Links">
            <div className="side-head">
              <h2>Links</h2>
              {mayAct && (
                <button type="button" className="text-button" onClick={() => setAsked('link')}>
                  Link…
                </button>
              )}
            </div>
            <LinkList incident={incident} mayAct={mayAct} attempt={attempt} />
          </section>
          <section aria-label="Evidence">
            <div className="side-head">
              <h2>Evidence</h2>
              {mayAct && (
                <button type="button" className="text-button" onClick={() => setAsked('evidence')}>
                  Add a file…
                </button>
              )}
            </div>
            <EvidenceList incident={incident} mayAct={mayAct} attempt={attempt} />
          </section>
        </div>
      </div>
      {asked === 'change' && (
        <ChangeDialog incident={incident} onClose={() => setAsked(null)} onDone={done('Saved.')} />
      )}
      {asked === 'evidence' && (
        <EvidenceDialog incident={incident} onClose={() => setAsked(null)} onDone={done('Added the file.')} />
      )}
      {asked === 'link' && (
        <LinkDialog incident={incident} onClose={() => setAsked(null)} onDone={done('Linked.')} />
      )}
      {asked === 'delete' && (
        <DeleteDialog
          incident={incident}
          onClose={() => setAsked(null)}
          onDone={() => {
            notify(`Deleted ${incident.id}.`);
            setView({ page: 'incidents' });
          }}
        />
      )}
    </div>
  );
}

interface StateProps {
  incident: Incident;
  user: User;
  mayAct: boolean;
  onChange: (what: { state?: IncidentState; assignee?: string }, text: string) => void;
}

function State({ incident, user, mayAct, onChange }: StateProps) {
  const { zone } = useView();
  const now = useNow(10_000);
  const state = mayAct ? (
    <select
      className="select"
      aria-label="State"
      value={incident.state}
      onChange={(event) =>
        onChange({ state: event.target.value as IncidentState }, `It is ${event.target.value}.`)
      }
    >
      {kIncidentStates.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  ) : (
    incident.state
  );
  const assignee = (
    <>
      {incident.assignee || <span className="muted">nobody</span>}{' '}
      {mayAct && incident.assignee !== user.username && (
        <button
          type="button"
          className="text-button"
          onClick={() => onChange({ assignee: user.username }, 'It is yours.')}
        >
          take it
        </button>
      )}
    </>
  );
  return (
    <Facts
      rows={[
        [
          'Number',
          <span key="n" className="mono">
            {incident.id}
          </span>,
        ],
        ['Severity', <Severity key="s" level={incident.severity} />],
        ['State', state],
        ['Assignee', assignee],
        [
          'Opened',
          <span key="o">
            <AbsoluteTime time={incident.created} now={now} zone={zone} /> by {incident.created_by}
          </span>,
        ],
        ...(incident.ended
          ? [
              ['Ended', <AbsoluteTime key="e" time={incident.ended} now={now} zone={zone} />] as [
                string,
                React.ReactNode,
              ],
            ]
          : []),
      ]}
    />
  );
}

function Timeline({ incident }: { incident: Incident }) {
  const { zone } = useView();
  const now = useNow(10_000);
  return (
    <ol className="timeline" aria-label="Timeline">
      {incident.timeline.map((entry) => (
        <li key={entry.id} className={`timeline-${entry.act}`}>
          <p>
            <strong>{entry.author}</strong>{' '}
            <span className="timeline-act" title={entry.act.startsWith('evidence') ? entry.text : undefined}>
              {entryInWords(entry, incident.links)}
            </span>{' '}
            <span className="muted">
              <RelativeTime time={entry.time} now={now} zone={zone} />
            </span>
          </p>
          {entry.act === 'commented' && <p className="incident-text">{entry.text}</p>}
        </li>
      ))}
    </ol>
  );
}

function CommentForm({ id, onDone }: { id: string; onDone: (incident: Incident) => void }) {
  const [text, setText] = useState('');
  return (
    <Form
      submit="Comment"
      check={() => (text.trim() ? null : 'Write something first.')}
      onSubmit={async () => {
        onDone(await commentIncident(id, text));
        setText('');
      }}
    >
      <TextArea label="Comment" value={text} onChange={setText} rows={3} />
    </Form>
  );
}
