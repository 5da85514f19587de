import type { Alert } from '../api/types';
import { evidenceLines } from '../lib/evidence';
import { alertClassName, formatDuration, formatNumber, inWords, plural, si } from '../lib/format';
import { clause, fromPills } from '../lib/filter';
import { absoluteRange, formatPrecise, parseTime } from '../lib/time';
import { linkTo, useView } from '../state/view';
import { BlockButton } from './BlockButton';
import { Severity } from './Severity';
import { Facts, SidePanel } from './SidePanel';
import { CopyValue } from './Value';

export function measured(value: number | null, unit: string): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (unit === 'bit/s' || unit === 'B') return si(value, unit);
  const text = formatNumber(value);
  return unit ? `${text}\u00a0${unit}` : text;
}

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

export function AlertDetail({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const view = useView();
  const { source, destination, service } = alert.entity ?? {};
  const evidence = Object.entries(alert.evidence ?? {});
  const rows: [string, React.ReactNode][] = [
    ['Severity', <Severity key="v" level={alert.severity} />],
    ['State', `${alert.state}${alert.count > 1 ? `, reported ${plural(alert.count, 'time')}` : ''}`],
    ['Time', formatPrecise(parseTime(alert.time), view.zone)],
  ];
  if (source) rows.push(['Source', <CopyValue key="s" text={source} field="host" value={source} />]);
  if (destination)
    rows.push(['Destination', <CopyValue key="d" text={destination} field="host" value={destination} />]);
  if (service) rows.push(['Service', service]);
  rows.push(
    ['Observed', measured(alert.observed, alert.unit)],
    ['Expected', measured(alert.expected, alert.unit)],
  );
  if (alert.window_seconds) rows.push(['Window', formatDuration(alert.window_seconds)]);
  if (alert.score !== null) rows.push(['Score', `${formatNumber(alert.score)} bits of surprise`]);
  rows.push(['Detector', alert.detector]);
  if (alert.technique) rows.push(['Technique', `${alert.technique} (ATT&CK)`]);
  return (
    <SidePanel label="Alert detail" title={alertClassName(alert.class)} onClose={onClose}>
      <p className="lead">{alert.summary}</p>
      <p>
        <a className="button" href={linkTo(view, alertFlows(alert))}>
          Show these flows
        </a>{' '}
        {source && (
          <BlockButton address={source} reason={`${alertClassName(alert.class)}, alert ${alert.id}`} />
        )}
      </p>
      <Facts rows={rows} />
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
