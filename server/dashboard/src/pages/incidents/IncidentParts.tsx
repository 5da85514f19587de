import { useState } from 'react';
import {
  keepFlows,
  keepPackets,
  removeEvidence,
  saveEvidence,
  unlinkIncident,
  type Incident,
  type IncidentEvidence,
  type IncidentLink,
} from '../../api/operations';
import { getAlert } from '../../api/endpoints';
import { CopyValue } from '../../components/Value';
import { formatBytes, plural } from '../../lib/format';
import { alertSummary, flowsView } from '../../lib/incidents';
import { withTimes } from '../../lib/time';
import { useQuery } from '../../state/query';
import { linkTo, useView } from '../../state/view';

interface Props {
  incident: Incident;
  mayAct: boolean;
  attempt: (act: () => Promise<Incident | void>, text: string) => Promise<void>;
}

// A second press within a moment, instead of a dialog for what can be added again.
function Remove({ what, onRemove }: { what: string; onRemove: () => void }) {
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      className="text-button bad"
      aria-label={sure ? `Really remove ${what}` : `Remove ${what}`}
      onBlur={() => setSure(false)}
      onClick={() => (sure ? onRemove() : setSure(true))}
    >
      {sure ? 'Really remove' : 'Remove'}
    </button>
  );
}

export function LinkList({ incident, mayAct, attempt }: Props) {
  if (incident.links.length === 0) return <p className="muted">Nothing is linked yet.</p>;
  return (
    <ul className="part-list">
      {incident.links.map((link) => (
        <li key={link.id}>
          <LinkBody link={link} />
          {link.note && <p className="incident-text muted">{link.note}</p>}
          {mayAct && (
            <p className="part-actions">
              {link.kind === 'flows' && link.since && link.until && (
                <button
                  type="button"
                  className="text-button"
                  onClick={() =>
                    void attempt(
                      () =>
                        keepFlows(incident.id, {
                          since: link.since!,
                          until: link.until!,
                          where: link.target,
                        }),
                      'Kept the flows as evidence.',
                    )
                  }
                >
                  Keep as evidence
                </button>
              )}
              {link.kind === 'alert' && (
                <KeepPackets
                  alert={link.target}
                  onKeep={() =>
                    void attempt(
                      () => keepPackets(incident.id, link.target),
                      'Kept the packets before the alert as evidence.',
                    )
                  }
                />
              )}
              <Remove
                what={`the link to ${link.kind} ${link.target}`}
                onRemove={() => void attempt(() => unlinkIncident(incident.id, link.id), 'Removed the link.')}
              />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

// The server keeps packets only while it runs and while there is room: no button for what is gone.
function KeepPackets({ alert, onKeep }: { alert: string; onKeep: () => void }) {
  const { data } = useQuery(`alert ${alert}`, (signal) => getAlert(alert, signal));
  if (data && !data.packets) return <span className="muted">its packets are not kept any more</span>;
  return (
    <button
      type="button"
      className="text-button"
      title={`${data ? plural(data.packets ?? 0, 'packet') : 'Those'} that passed on the wire before it, as a capture file`}
      onClick={onKeep}
    >
      Keep its packets
    </button>
  );
}

function LinkBody({ link }: { link: IncidentLink }) {
  const view = useView();
  switch (link.kind) {
    case 'alert':
      return (
        <p>
          Alert{' '}
          <a href={linkTo(view, { page: 'alerts', extra: { alert: link.target } })}>{alertSummary(link)}</a>
        </p>
      );
    case 'flows':
      return (
        <p>
          Flows{' '}
          <a className="mono" href={linkTo(view, flowsView(link))}>
            {link.target || 'all'}
          </a>
        </p>
      );
    case 'rule':
      return (
        <p>
          Rule{' '}
          <a
            className="mono"
            href={linkTo(view, { page: 'rules', extra: { part: 'rules', rule: link.target } })}
          >
            {link.target}
          </a>
        </p>
      );
    default:
      // Shown, not linked: what people paste here may lead anywhere.
      return (
        <p>
          Note <CopyValue text={link.target} />
        </p>
      );
  }
}

export function EvidenceList({ incident, mayAct, attempt }: Props) {
  if (incident.evidence.length === 0) return <p className="muted">No files yet.</p>;
  return (
    <ul className="part-list">
      {incident.evidence.map((file) => (
        <li key={file.id}>
          <EvidenceBody file={file} />
          <p className="part-actions">
            {file.complete && (
              <button
                type="button"
                className="text-button"
                aria-label={`Save ${file.name}`}
                onClick={() => void attempt(() => saveEvidence(incident.id, file), `Saved ${file.name}.`)}
              >
                Save
              </button>
            )}
            {mayAct && (
              <Remove
                what={file.name}
                onRemove={() =>
                  void attempt(() => removeEvidence(incident.id, file.id), `Removed ${file.name}.`)
                }
              />
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

function EvidenceBody({ file }: { file: IncidentEvidence }) {
  const { zone } = useView();
  return (
    <>
      <p>
        <strong className="wrap">{file.name}</strong> {formatBytes(file.size_bytes)}
        {!file.complete && <span className="bad"> was never written to its end</span>}
      </p>
      {file.description && <p className="incident-text muted">{withTimes(file.description, zone)}</p>}
      <p className="hash" title={`SHA-256 ${file.sha256}`}>
        <CopyValue text={file.sha256} />
      </p>
    </>
  );
}
