import { useEffect, useRef, useState } from 'react';
import {
  cancelJob,
  followJob,
  saveJobFile,
  startExport,
  startImport,
  type ImportReport,
  type Job,
  type TransferFormat,
} from '../api/jobs';
import { formatCount, plural } from '../lib/format';
import { resolveRange, type Range } from '../lib/time';
import { serverNow } from '../state/live';
import { notify } from '../state/notices';
import { Dialog } from './Dialog';
import { Form } from './Form';
import { JobProgress } from './JobProgress';
import { Segmented } from './Segmented';

const kFormats: { value: TransferFormat; label: string }[] = [
  { value: 'csv', label: 'CSV' },
  { value: 'jsonl', label: 'JSON lines' },
];

// The job that a dialog follows; it goes on when the dialog closes.
function useFollowed<R>() {
  const [job, setJob] = useState<Job<R> | null>(null);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const follow = (begun: Job<R>) => followJob(begun, setJob, stop.current.signal);
  const cancel = () => {
    if (job) void cancelJob(job.id);
  };
  return { job, follow, cancel, forget: () => setJob(null) };
}

interface ExportProps {
  range: Range;
  where: string;
  onClose: () => void;
}

export function ExportDialog({ range, where, onClose }: ExportProps) {
  const [format, setFormat] = useState<TransferFormat>('csv');
  const { job, follow, cancel, forget } = useFollowed<{ flows: number }>();
  return (
    <Dialog title="Export flows" onClose={onClose}>
      <Form
        submit="Export"
        onSubmit={async () => {
          const [since, until] = resolveRange(range, serverNow());
          const done = await follow(
            await startExport({
              since: new Date(since).toISOString(),
              until: new Date(until).toISOString(),
              where,
              format,
            }),
          );
          if (done.state === 'cancelled') return forget();
          if (done.state !== 'done') throw new Error(done.error ?? 'The export failed.');
          await saveJobFile(done);
          notify(`${plural(done.result?.flows ?? 0, 'flow')} exported.`);
          onClose();
        }}
      >
        <p>
          Every flow of the time range{where ? ' that matches the filter' : ''}, the oldest first
          {where ? ':' : '.'} {where && <code>{where}</code>}
        </p>
        <Segmented label="Format" value={format} choices={kFormats} onChange={setFormat} />
        <p className="hint">
          {format === 'csv'
            ? 'For spreadsheets and scripts. Packet statistics are left out.'
            : 'One JSON object a line, with everything.'}
        </p>
        {job && <JobProgress job={job} onCancel={cancel} />}
      </Form>
    </Dialog>
  );
}

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [skip, setSkip] = useState(false);
  const [report, setReport] = useState<ImportReport | null>(null);
  const { job, follow, cancel, forget } = useFollowed<ImportReport>();
  const format: TransferFormat = file && /\.(jsonl|ndjson|json)$/.test(file.name) ? 'jsonl' : 'csv';
  return (
    <Dialog title="Import flows" onClose={onClose}>
      <Form
        submit="Import"
        check={() => (file ? null : 'Choose a file first.')}
        onSubmit={async () => {
          if (!file) return;
          setReport(null);
          const done = await follow(await startImport(file, format, skip));
          forget();
          if (done.state === 'cancelled') return;
          if (done.state !== 'done' || !done.result) throw new Error(done.error ?? 'The import failed.');
          setReport(done.result);
          if (done.result.wrong_lines > 0 && !skip) return;
          notify(`${plural(done.result.flows, 'flow')} imported.`);
          if (done.result.wrong_lines === 0 && !done.result.hints?.length) onClose();
        }}
      >
        <p>
          A file that was exported here or by <code>nta export</code>, or that <code>pcap_to_flows</code>{' '}
          wrote. All of its flows are stored or none.
        </p>
        <input
          type="file"
          aria-label="File"
          accept=".csv,.jsonl,.ndjson,.json"
          onChange={(event) => {
            setFile(event.target.files?.[0] ?? null);
            setReport(null);
          }}
        />
        <label className="check">
          <input type="checkbox" checked={skip} onChange={(event) => setSkip(event.target.checked)} />
          Leave wrong lines out and store the others
        </label>
        {job && <JobProgress job={job} onCancel={cancel} />}
        {report && report.wrong_lines > 0 && <WrongLines report={report} />}
        {report?.hints?.map((hint) => (
          <p key={hint} className="import-hint" role="status">
            {hint}
          </p>
        ))}
      </Form>
    </Dialog>
  );
}

function WrongLines({ report }: { report: ImportReport }) {
  return (
    <div role="alert" className="wrong-lines">
      <p>
        {plural(report.wrong_lines, 'line')} of {formatCount(report.lines)}{' '}
        {report.wrong_lines === 1 ? 'is' : 'are'} wrong;{' '}
        {report.flows === 0 ? 'nothing was stored' : `${plural(report.flows, 'flow')} stored`}.
      </p>
      <ul>
        {report.errors.map((error) => (
          <li key={error.line}>
            Line {error.line}: {error.message}
          </li>
        ))}
      </ul>
    </div>
  );
}
