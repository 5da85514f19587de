import { useRef, useState } from 'react';
import { downloadBackup, getBackups, uploadBackup } from '../api/endpoints';
import { cancelJob, type Job } from '../api/jobs';
import type { Backup, User } from '../api/types';
import { Icon } from '../components/Icon';
import { NeedsRole } from '../components/NeedsRole';
import { Empty, Loaded, SkeletonLines } from '../components/States';
import { AbsoluteTime, RelativeTime } from '../components/Time';
import { formatBytes, plural } from '../lib/format';
import type { Zone } from '../lib/time';
import { useBackupJob } from '../state/backupJob';
import { useNow } from '../state/hooks';
import { notify, notifyProblem } from '../state/notices';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { useView } from '../state/view';
import { CreateDialog, DeleteDialog, RestoreDialog, VerifyDialog } from './backups/Dialogs';
import { PolicyDialog } from './backups/Policy';

type Act = { kind: 'create' | 'policy' } | { kind: 'verify' | 'restore' | 'delete'; backup: Backup };

const kWords: Record<string, string> = {
  'backup.create': 'Backup',
  'backup.verify': 'Verification',
  'backup.restore': 'Restore',
};

export function Backups({ user }: { user: User }) {
  if (!may(user, 'admin')) {
    return <NeedsRole title="Backups" user={user} role="admin" what="Backups are made and restored by" />;
  }
  return <BackupList />;
}

function BackupList() {
  const { zone } = useView();
  const now = useNow(30_000);
  const query = useQuery('backups', getBackups, 60_000);
  const [act, setAct] = useState<Act | null>(null);
  const { job, follow, dismiss } = useBackupJob(query.reload);
  const busy = job?.state === 'running';
  const begun = (started: Job) => {
    setAct(null);
    follow(started);
  };
  return (
    <div className="narrow">
      <div className="explore-head">
        <h1 className="page-title">Backups</h1>
        <span className="panel-tools">
          <button type="button" className="button" onClick={() => setAct({ kind: 'policy' })}>
            Keep…
          </button>
          <Upload onDone={query.reload} />
          <button
            type="button"
            className="button button-primary"
            disabled={busy}
            onClick={() => setAct({ kind: 'create' })}
          >
            <Icon name="plus" />
            Back up now
          </button>
        </span>
      </div>
      {job && <JobLine job={job} onDismiss={dismiss} />}
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={44} />}>
        {(backups) => (
          <>
            <Summary backups={backups} now={now} zone={zone} />
            <ul className="backup-list">
              {backups.map((backup) => (
                <Row
                  key={backup.name}
                  backup={backup}
                  now={now}
                  zone={zone}
                  busy={busy}
                  onAct={(kind) => setAct({ kind, backup })}
                />
              ))}
            </ul>
          </>
        )}
      </Loaded>
      {act?.kind === 'create' && <CreateDialog onClose={() => setAct(null)} onBegun={begun} />}
      {act?.kind === 'verify' && (
        <VerifyDialog backup={act.backup} onClose={() => setAct(null)} onBegun={begun} />
      )}
      {act?.kind === 'restore' && (
        <RestoreDialog backup={act.backup} zone={zone} onClose={() => setAct(null)} onBegun={begun} />
      )}
      {act?.kind === 'delete' && (
        <DeleteDialog
          backup={act.backup}
          isOnlyVerified={isOnlyVerified(act.backup, query.data ?? [])}
          zone={zone}
          onClose={() => setAct(null)}
          onDone={() => {
            setAct(null);
            query.reload();
          }}
        />
      )}
      {act?.kind === 'policy' && (
        <PolicyDialog
          onClose={() => setAct(null)}
          onDone={() => {
            setAct(null);
            query.reload();
          }}
        />
      )}
    </div>
  );
}

const isGood = (backup: Backup) => backup.verified !== null && backup.problem === '';
const isOnlyVerified = (backup: Backup, all: Backup[]) => isGood(backup) && all.filter(isGood).length === 1;

// The one question of this page: could everything be brought back, and to when?
function Summary({ backups, now, zone }: { backups: Backup[]; now: number; zone: Zone }) {
  const newest = backups.find(isGood);
  const bytes = backups.reduce((sum, backup) => sum + backup.stored_bytes, 0);
  if (backups.length === 0) {
    return (
      <Empty>
        <p>There is no backup yet: what this server knows is in one place only.</p>
        <p className="muted">
          A backup holds flows, totals, alerts, rules, users, settings and the configuration. It is made while
          capture goes on, and proven by restoring it into a scratch place.
        </p>
      </Empty>
    );
  }
  return (
    <p className="backup-summary">
      {newest ? (
        <>
          Everything can be brought back to{' '}
          <strong>
            <RelativeTime time={newest.time} now={now} zone={zone} />
          </strong>
          : that backup was restored into a scratch place and compared.
        </>
      ) : (
        <strong>No backup has been verified yet: verify one to know that it can be restored.</strong>
      )}{' '}
      <span className="muted">
        {plural(backups.length, 'backup')}, {formatBytes(bytes)}.
      </span>
    </p>
  );
}

function JobLine({ job, onDismiss }: { job: Job; onDismiss: () => void }) {
  const words = kWords[job.kind] ?? job.kind;
  const percent = Math.round(job.progress * 100);
  if (job.state === 'running') {
    return (
      <div className="backup-job" role="status">
        <span className="backup-job-words">
          {words}: {job.doing || 'beginning'} <span className="muted">{percent} %</span>
        </span>
        <progress max={1} value={job.progress} aria-label={`${words}, ${percent} %`} />
        <button
          type="button"
          className="text-button"
          onClick={() => void cancelJob(job.id).catch((error: unknown) => notifyProblem(error))}
        >
          Cancel
        </button>
      </div>
    );
  }
  const said = {
    done: `${words} done.`,
    cancelled: `${words} cancelled; nothing was left behind.`,
    failed: `${words} failed: ${job.error ?? 'no reason was given'}`,
  }[job.state];
  return (
    <div
      className={`backup-job ${job.state === 'failed' ? 'is-bad' : ''}`}
      role={job.state === 'failed' ? 'alert' : 'status'}
    >
      <span className="backup-job-words">{said}</span>
      <button type="button" className="text-button" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}

interface RowProps {
  backup: Backup;
  now: number;
  zone: Zone;
  busy: boolean;
  onAct: (kind: 'verify' | 'restore' | 'delete') => void;
}

function Row({ backup, now, zone, busy, onAct }: RowProps) {
  const readable = backup.tool !== '';
  const time = readable ? <AbsoluteTime time={backup.time} now={now} zone={zone} /> : backup.name;
  return (
    <li data-backup={backup.name}>
      <span className="backup-time">
        {time}
        {readable && <span className="muted backup-name">{backup.name}</span>}
      </span>
      <Mark backup={backup} now={now} zone={zone} />
      <span className="muted backup-size">
        {formatBytes(backup.stored_bytes)}
        {backup.encrypted && ', encrypted'}
      </span>
      <span className="backup-actions">
        <button
          type="button"
          className="text-button"
          disabled={busy || !readable}
          aria-label={`Verify ${backup.name}`}
          onClick={() => onAct('verify')}
        >
          Verify
        </button>
        {backup.problem === '' && (
          <button
            type="button"
            className="text-button"
            disabled={busy || !readable}
            aria-label={`Restore ${backup.name}`}
            onClick={() => onAct('restore')}
          >
            Restore…
          </button>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label={`Download ${backup.name}`}
          title="Download"
          onClick={() => void save(backup.name)}
        >
          <Icon name="download" />
        </button>
        <button
          type="button"
          className="text-button bad"
          aria-label={`Delete ${backup.name}`}
          onClick={() => onAct('delete')}
        >
          Delete…
        </button>
      </span>
      {backup.problem && <span className="backup-problem">{backup.problem}</span>}
    </li>
  );
}

function Mark({ backup, now, zone }: { backup: Backup; now: number; zone: Zone }) {
  if (backup.problem) return <span className="backup-mark is-bad">✕ not usable</span>;
  if (!backup.verified) return <span className="backup-mark">○ not verified</span>;
  return (
    <span className="backup-mark is-good">
      ✓ verified{' '}
      <span className="muted">
        <RelativeTime time={backup.verified} now={now} zone={zone} />
      </span>
    </span>
  );
}

async function save(name: string): Promise<void> {
  try {
    const url = URL.createObjectURL(await downloadBackup(name));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${name}.ntabackup`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    notifyProblem(error);
  }
}

function Upload({ onDone }: { onDone: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const upload = async (file: File | undefined) => {
    if (!file) return;
    setBusy(true);
    try {
      await uploadBackup(file);
      notify(`Took in ${file.name}.`);
      onDone();
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
      if (input.current) input.current.value = '';
    }
  };
  return (
    <>
      <button type="button" className="button" disabled={busy} onClick={() => input.current?.click()}>
        <Icon name="upload" />
        {busy ? 'Uploading' : 'Upload…'}
      </button>
      <input
        ref={input}
        type="file"
        accept=".ntabackup"
        hidden
        aria-label="File of a backup"
        onChange={(event) => void upload(event.target.files?.[0])}
      />
    </>
  );
}
