import { useState } from 'react';
import { acknowledgeAlert, downloadPackets, noteOnAlert, unacknowledgeAlert } from '../api/endpoints';
import type { Alert } from '../api/types';
import { BandChart } from '../charts/BandChart';
import { evidenceLines } from '../lib/evidence';
import { alertClassName, formatDuration, formatNumber, inWords, plural, si } from '../lib/format';
import { clause, fromPills } from '../lib/filter';
import { absoluteRange, formatPrecise, parseTime } from '../lib/time';
import { notifyProblem } from '../state/notices';
import { linkTo, useView } from '../state/view';
import { BlockButton } from './BlockButton';
import { AlertTraffic } from './AlertTraffic';
import { Severity } from './Severity';
import { Facts, SidePanel } from './SidePanel';
import { CopyValue } from './Value';

export function measured(value: number | null, unit: string): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (unit === 'bit/s' || unit === 'B') return si(value, unit);
  const text = formatNumber(value);
  return unit ? `${text}\u00a0${unit}` : text;
}

export const alertTitle = (alert: Alert) => alert.title || alertClassName(alert.class);

// The flows an alert speaks of: between its parties, from its window on.
export function alertFlows(alert: Alert) {
  const time = parseTime(alert.time);
  const { source, destination } = alert.entity ?? {};
  return {
    page: 'explore',
    range: absoluteRange(time - Math.max(alert.window_seconds ?? 0, 60) * 1000, time + 60_000),
    where: fromPills([source ? clause('host', source) : '', destination ? clause('host', destination) : '']),
  };
}

interface DetailProps {
  alert: Alert;
  onClose: () => void;
  // Absent where alerts are only looked at.
  onChanged?: () => void;
  onSuppress?: () => void;
}

export function AlertDetail({ alert, onClose, onChanged, onSuppress }: DetailProps) {
  const view = useView();
  const { source, destination, service } = alert.entity ?? {};
  const evidence = Object.entries(alert.evidence ?? {});
  const rows: [string, React.ReactNode][] = [
    ['Class', alertClassName(alert.class)],
    ['Severity', <Severity key="v" level={alert.severity} />],
    ['State', `${alert.state}${alert.count > 1 ? `, reported ${plural(alert.count, 'time')}` : ''}`],
    ['Time', formatPrecise(parseTime(alert.time), view.zone)],
  ];
  if (source) rows.push(['Source', <CopyValue key="s" text={source} field="host" value={source} />]);
  if (destination)
    rows.push(['Destination', <CopyValue key="d" text={destination} field="host" value={destination} />]);
  if (service) rows.push(['Service', service]);
  if (alert.window_seconds) rows.push(['Window', formatDuration(alert.window_seconds)]);
  if (alert.score !== null) rows.push(['Score', `${formatNumber(alert.score)} bits of surprise`]);
  if (alert.confidence !== undefined && alert.confidence < 1)
    rows.push(['Confidence', `${Math.round(alert.confidence * 100)} %`]);
  rows.push(['Detector', alert.detector]);
  if (alert.technique) rows.push(['Technique', `${alert.technique} (ATT&CK)`]);
  if (alert.suppressed_by) rows.push(['Hidden by', `suppression ${alert.suppressed_by}`]);
  const peers = alert.peers ?? [];
  return (
    <SidePanel label="Alert detail" title={alertTitle(alert)} onClose={onClose}>
      <p className="lead">{alert.summary}</p>
      {alert.advice && <p>{alert.advice}</p>}
      <div className="alert-buttons">
        <a className="button" href={linkTo(view, alertFlows(alert))}>
          Show these flows
        </a>
        <a
          className="button"
          href={linkTo(view, {
            page: 'incidents',
            extra: { from: String(alert.id), title: alert.summary.slice(0, 200), severity: alert.severity },
          })}
        >
          Open an incident…
        </a>
        {onSuppress && (
          <button type="button" className="button" onClick={onSuppress} title="s">
            Suppress…
          </button>
        )}
        {source && (
          <BlockButton
            address={source}
            reason={alertTitle(alert)}
            alertId={String(alert.id)}
            className="button is-danger"
          />
        )}
        {onSuppress && (alert.packets ?? 0) > 0 && (
          <button
            type="button"
            className="button"
            title="what passed on the wire before it; who takes it is written down"
            onClick={() => void downloadPackets(alert.id).catch((error) => notifyProblem(error))}
          >
            Save {plural(alert.packets ?? 0, 'packet')} (pcap)
          </button>
        )}
      </div>
      {alert.observed !== null && alert.expected !== null && (
        <>
          <h3>Observed and expected</h3>
          <BandChart
            observed={alert.observed}
            expected={alert.expected}
            low={alert.band_low ?? null}
            high={alert.band_high ?? null}
            format={(value) => measured(value, alert.unit)}
          />
        </>
      )}
      <AlertTraffic alert={alert} zone={view.zone} />
      <Handling key={String(alert.id)} alert={alert} onChanged={onChanged} />
      <h3>Facts</h3>
      <Facts rows={rows} />
      {peers.length > 0 && (
        <>
          <h3>Who took part</h3>
          <Facts
            rows={peers.map((peer) => [
              `${Math.round(peer.share * 100)} %`,
              <span key={peer.name} className="mono wrap">
                {peer.name}
              </span>,
            ])}
          />
        </>
      )}
      {evidence.length > 0 && (
        <>
          <h3>Evidence</h3>
          <Facts
            rows={evidence.map(([name, value]) => [
              inWords(name),
              <EvidenceValue key={name} lines={evidenceLines(name, value, view.zone)} />,
            ])}
          />
        </>
      )}
    </SidePanel>
  );
}

// Who looks after it, and what is known by now.
function Handling({ alert, onChanged }: { alert: Alert; onChanged?: () => void }) {
  const view = useView();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const handling = alert.handling;
  const act = async (what: () => Promise<Alert>) => {
    setBusy(true);
    try {
      await what();
      setText('');
      onChanged?.();
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <h3>Handling</h3>
      <p>
        {handling?.acknowledged_by
          ? `${handling.acknowledged_by} looks after it since ${formatPrecise(
              parseTime(handling.acknowledged ?? alert.time),
              view.zone,
            )}.`
          : 'Nobody looks after it yet.'}
      </p>
      {handling && handling.notes.length > 0 && (
        <ul className="alert-notes">
          {handling.notes.map((note, i) => (
            <li key={i}>
              <span className="muted">
                {note.author}, {formatPrecise(parseTime(note.time), view.zone)}
              </span>
              <span className="wrap">{note.text}</span>
            </li>
          ))}
        </ul>
      )}
      {onChanged && (
        <form
          className="note-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) void act(() => noteOnAlert(alert.id, text.trim()));
          }}
        >
          <textarea
            aria-label="Note"
            rows={2}
            maxLength={4000}
            placeholder="What is known of it"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <span className="alert-actions">
            <button type="submit" className="button" disabled={busy || !text.trim()}>
              Add note
            </button>
            {handling?.acknowledged_by ? (
              <button
                type="button"
                className="button"
                disabled={busy}
                onClick={() => void act(() => unacknowledgeAlert(alert.id))}
              >
                Give it back
              </button>
            ) : (
              <button
                type="button"
                className="button button-primary"
                disabled={busy}
                title="a"
                onClick={() => void act(() => acknowledgeAlert(alert.id, text.trim()))}
              >
                Acknowledge
              </button>
            )}
          </span>
        </form>
      )}
    </>
  );
}

function EvidenceValue({ lines }: { lines: string[] }) {
  if (lines.length === 1) return <span className="wrap">{lines[0]}</span>;
  return (
    <ul className="evidence-list mono">
      {lines.map((line, i) => (
        <li key={i}>{line}</li>
      ))}
    </ul>
  );
}
