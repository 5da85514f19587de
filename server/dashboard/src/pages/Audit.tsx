import { useState } from 'react';
import { exportAudit, getAudit, verifyAudit } from '../api/endpoints';
import type { AuditOutcome, AuditRecord, AuditReport, User } from '../api/types';
import { FilterSelect, useTextFilter } from '../components/Filters';
import { HostileText } from '../components/HostileText';
import { Icon } from '../components/Icon';
import { NeedsRole } from '../components/NeedsRole';
import { RecordList } from '../components/RecordList';
import { Facts, SidePanel } from '../components/SidePanel';
import { AbsoluteTime } from '../components/Time';
import { useTimeSpan } from '../components/TimeFilter';
import { formatBytes, plural } from '../lib/format';
import { kWholeTrail, joinOutcomes } from '../lib/audit';
import { useNow, useSmall } from '../state/hooks';
import { tryAndTell } from '../state/notices';
import { usePages } from '../state/pages';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { useExtra, useView } from '../state/view';

const kActs = [
  'session',
  'user',
  'setup',
  'audit',
  'log',
  'backup',
  'store',
  'flows',
  'firewall',
  'alert',
  'alert_rule',
  'backtest',
  'suppression',
  'detector',
  'incident',
  'notice',
  'notification_channel',
  'notification_routes',
  'schedule',
  'settings',
  'job',
  'server',
];
const kOutcomes: AuditOutcome[] = ['done', 'refused', 'failed'];
const withAll = (all: string, names: string[]) => [
  { value: '', label: all },
  ...names.map((name) => ({ value: name, label: name })),
];

export function Audit({ user }: { user: User }) {
  if (!may(user, 'admin')) {
    return <NeedsRole title="Audit" user={user} role="admin" what="The audit trail is for" />;
  }
  return <Trail />;
}

function Trail() {
  const [act, setAct] = useExtra('act');
  const [outcome, setOutcome] = useExtra('outcome');
  const [report, setReport] = useState<AuditReport | null>(null);
  const [verifying, setVerifying] = useState(false);
  const [open, setOpen] = useState<AuditRecord | null>(null);
  const [span, timeFilter] = useTimeSpan();
  const [actor, actorFilter] = useTextFilter('actor', { label: 'Who', hint: 'Who' });
  const [text, textFilter] = useTextFilter('text', { label: 'Text', hint: 'Text in the record', wide: true });
  const filters = { act, outcome, actor, text, ...span };
  const key = `audit ${JSON.stringify(filters)}`;
  const query = useQuery(key, (signal) => getAudit(filters, signal));
  const pages = usePages(key, query.data, (cursor) => getAudit({ ...filters, cursor }));
  const records = joinOutcomes([
    ...(query.data?.records ?? []),
    ...pages.older.flatMap((page) => page.records),
  ]);
  const verify = async () => {
    setVerifying(true);
    await tryAndTell(async () => setReport(await verifyAudit()));
    setVerifying(false);
  };
  return (
    <RecordList
      title="Audit"
      rows="Records"
      query={query}
      pages={pages}
      isEmpty={records.length === 0}
      empty="No record is like that."
      filters={
        <>
          <FilterSelect label="Act" value={act} choices={withAll('Every act', kActs)} onChange={setAct} />
          <FilterSelect
            label="Outcome"
            value={outcome}
            choices={withAll('Every outcome', kOutcomes)}
            onChange={setOutcome}
          />
          {timeFilter}
          {actorFilter}
          {textFilter}
        </>
      }
      tools={
        <>
          <button
            type="button"
            className="icon-button"
            aria-label="Reload"
            title="Reload"
            onClick={query.reload}
          >
            <Icon name="refresh" />
          </button>
          <button
            type="button"
            className="button"
            onClick={() => void tryAndTell(() => exportAudit(filters, 'csv'), 'Exported.')}
          >
            <Icon name="download" />
            Export
          </button>
          <button
            type="button"
            className="button button-primary"
            disabled={verifying}
            aria-busy={verifying}
            onClick={() => void verify()}
          >
            Verify
          </button>
        </>
      }
      note={report && <Verdict report={report} onClose={() => setReport(null)} />}
      list={<RecordTable records={records} open={open} onOpen={setOpen} />}
      detail={open && <RecordDetail record={open} onClose={() => setOpen(null)} />}
    />
  );
}

const kAuthenticity = {
  proven: 'Every record was sealed by this server.',
  not_proven: 'The verification key is not here: hashes were checked, seals were not.',
  forged: 'A record was written anew by somebody without the key.',
};

// The result of verifying, in words; what could not be checked is said as well.
function Verdict({ report, onClose }: { report: AuditReport; onClose: () => void }) {
  const fault = report.faults[0];
  return (
    <div className={`verdict ${report.ok ? 'verdict-good' : 'verdict-bad'}`} role="status">
      <div>
        <p className="verdict-title">
          {report.ok ? 'The trail is as it was written.' : 'The trail is NOT as it was written.'}
        </p>
        <p>
          {plural(report.records, 'record')} in {plural(report.files, 'file')} ({formatBytes(report.bytes)}).{' '}
          {kAuthenticity[report.authenticity]} {kWholeTrail[report.completeness]}
        </p>
        {fault && (
          <p>
            First bad: record {fault.sequence} in {fault.file}, byte {fault.offset}. {fault.reason}.
            {report.faults.length > 1 ? ` ${plural(report.faults.length - 1, 'more fault')} elsewhere.` : ''}
          </p>
        )}
      </div>
      <button type="button" className="icon-button" aria-label="Close the result" onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}

interface TableProps {
  records: AuditRecord[];
  open: AuditRecord | null;
  onOpen: (record: AuditRecord) => void;
}

const Who = ({ record }: { record: AuditRecord }) =>
  record.actor ? <HostileText text={record.actor} /> : <span className="muted">nobody signed in</span>;

const Outcome = ({ outcome }: { outcome: AuditOutcome }) => (
  <span className={`outcome outcome-${outcome}`}>{outcome}</span>
);

function RecordTable({ records, open, onOpen }: TableProps) {
  const { zone } = useView();
  const now = useNow(10_000);
  const small = useSmall();
  const rowClass = (record: AuditRecord) => (open?.sequence === record.sequence ? 'is-open' : '');
  if (small) {
    return (
      <ul className="log-cards">
        {records.map((record) => (
          <li key={record.sequence} data-row className={rowClass(record)}>
            <button type="button" onClick={() => onOpen(record)}>
              <span className="log-card-head">
                <Outcome outcome={record.outcome} />
                <span>{record.act}</span>
                <span className="muted">
                  <AbsoluteTime time={record.time} now={now} zone={zone} />
                </span>
              </span>
              <span>
                <Who record={record} /> <HostileText text={record.target} className="muted" />
              </span>
            </button>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <table className="flow-table audit-table" aria-label="Records of the audit trail">
      <colgroup>
        <col className="audit-col-number" />
        <col className="log-col-time" />
        <col className="audit-col-who" />
        <col className="audit-col-address" />
        <col className="audit-col-act" />
        <col />
        <col className="audit-col-outcome" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" className="num">
            Record
          </th>
          <th scope="col">Time</th>
          <th scope="col">Who</th>
          <th scope="col">From</th>
          <th scope="col">Act</th>
          <th scope="col">On what</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.sequence} data-row className={rowClass(record)} onClick={() => onOpen(record)}>
            <td className="num muted">{record.sequence}</td>
            <td className="muted">
              <AbsoluteTime time={record.time} now={now} zone={zone} />
            </td>
            <td>
              <Who record={record} />
            </td>
            <td className="mono">
              <HostileText text={record.address} />
            </td>
            <td>
              <button type="button" className="row-button" onClick={() => onOpen(record)}>
                {record.act}
              </button>
            </td>
            <td>
              <HostileText text={record.target} />
            </td>
            <td>
              <Outcome outcome={record.outcome} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RecordDetail({ record, onClose }: { record: AuditRecord; onClose: () => void }) {
  const { zone } = useView();
  const now = useNow(10_000);
  return (
    <SidePanel title={record.act} label="Record" onClose={onClose}>
      <Facts
        rows={[
          ['Record', String(record.sequence) + (record.about ? `, about ${record.about}` : '')],
          ['Time', <AbsoluteTime key="time" time={record.time} now={now} zone={zone} />],
          ['Who', <Who key="who" record={record} />],
          ['Role', record.role || '–'],
          ['From', record.address || '–'],
          ['On what', <HostileText key="target" text={record.target} className="log-whole" />],
          ['Outcome', <Outcome key="outcome" outcome={record.outcome} />],
          ...Object.entries(record.details).map(([name, value]): [string, React.ReactNode] => [
            name,
            <HostileText key={name} text={value} className="log-whole" />,
          ]),
        ]}
      />
    </SidePanel>
  );
}
