import { useState } from 'react';
import { createBackup, deleteBackup, restoreBackup, verifyBackup } from '../../api/endpoints';
import type { Job } from '../../api/jobs';
import type { Backup } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { formatAbsolute, parseTime, type Zone } from '../../lib/time';
import { notify } from '../../state/notices';

interface Common {
  onClose: () => void;
  onBegun: (job: Job) => void;
}
const kLeastPassphrase = 8;

// Two backups may be of the same second.
const Which = ({ backup }: { backup: Backup }) => (
  <p className="dialog-text muted backup-name">{backup.name}</p>
);
const at = (backup: Backup, zone: Zone) => formatAbsolute(parseTime(backup.time), zone);

function Passphrase({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field
      label="Passphrase"
      type="password"
      value={value}
      onChange={onChange}
      autoComplete="off"
      optional
      hint="Leave empty for the passphrase that the server was started with."
    />
  );
}

export function CreateDialog({ onClose, onBegun }: Common) {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  return (
    <Dialog title="Back up now" onClose={onClose}>
      <p className="dialog-text">
        Copies the database and the configuration while capture goes on, then restores the copy into a scratch
        place and compares it. That takes about twice the space of the database for a while.
      </p>
      <Form
        submit="Back up"
        check={() => {
          if (passphrase !== again) return 'The two passphrases differ.';
          return passphrase && [...passphrase].length < kLeastPassphrase
            ? `A passphrase has at least ${kLeastPassphrase} characters.`
            : null;
        }}
        onSubmit={async () => onBegun(await createBackup(passphrase))}
      >
        <Field
          label="Passphrase"
          type="password"
          value={passphrase}
          onChange={setPassphrase}
          autoComplete="new-password"
          optional
          hint="Encrypts the backup; 8 characters or more. Without it nobody can restore it: keep it elsewhere. Empty: as the server was started."
        />
        {passphrase && (
          <Field
            label="Passphrase again"
            type="password"
            value={again}
            onChange={setAgain}
            autoComplete="new-password"
          />
        )}
      </Form>
    </Dialog>
  );
}

export function VerifyDialog({ backup, onClose, onBegun }: Common & { backup: Backup }) {
  const [passphrase, setPassphrase] = useState('');
  return (
    <Dialog title="Verify this backup" onClose={onClose}>
      <Which backup={backup} />
      <p className="dialog-text">
        Restores it into a scratch place, examines the database in it and compares it with its manifest. The
        live data is not touched.
      </p>
      <Form submit="Verify" onSubmit={async () => onBegun(await verifyBackup(backup.name, passphrase))}>
        {backup.encrypted ? <Passphrase value={passphrase} onChange={setPassphrase} /> : null}
      </Form>
    </Dialog>
  );
}

export function RestoreDialog({ backup, zone, onClose, onBegun }: Common & { backup: Backup; zone: Zone }) {
  const [passphrase, setPassphrase] = useState('');
  return (
    <Dialog title={`Restore the backup of ${at(backup, zone)}?`} onClose={onClose}>
      <Which backup={backup} />
      <ul className="dialog-list">
        <li>
          Flows, alerts, rules, users and settings become those of {at(backup, zone)}. What came after is no
          longer shown.
        </li>
        <li>Nothing changes before the backup has been checked; a bad one is refused.</li>
        <li>The database of now is kept beside it until the next restore.</li>
        <li>Capture goes on, and what it sees is added to the restored data.</li>
        <li>
          Users who were changed since then are signed out and sign in with the password that they had. That
          may be you.
        </li>
      </ul>
      <Form
        submit={`Restore ${at(backup, zone)}`}
        danger
        onSubmit={async () => onBegun(await restoreBackup(backup.name, passphrase))}
      >
        {backup.encrypted ? <Passphrase value={passphrase} onChange={setPassphrase} /> : null}
      </Form>
    </Dialog>
  );
}

interface DeleteProps {
  backup: Backup;
  isOnlyVerified: boolean;
  zone: Zone;
  onClose: () => void;
  onDone: () => void;
}

export function DeleteDialog({ backup, isOnlyVerified, zone, onClose, onDone }: DeleteProps) {
  const what = backup.tool ? `the backup of ${at(backup, zone)}` : backup.name;
  return (
    <Dialog title={`Delete ${what}?`} onClose={onClose}>
      {backup.tool !== '' && <Which backup={backup} />}
      <p className="dialog-text">
        {isOnlyVerified && (
          <strong>
            It is the only verified backup: without it there is nothing that is known to restore.{' '}
          </strong>
        )}
        This cannot be undone.
      </p>
      <Form
        submit="Delete"
        danger
        onSubmit={async () => {
          await deleteBackup(backup.name);
          notify(`Deleted ${what}.`);
          onDone();
        }}
      >
        {null}
      </Form>
    </Dialog>
  );
}
