import { useState } from 'react';
import { changeUser, createUser, deleteUser, getUsers } from '../api/endpoints';
import type { Role, User, UserRow } from '../api/types';
import { Dialog } from '../components/Dialog';
import { Field, Form } from '../components/Form';
import { Icon } from '../components/Icon';
import { NeedsRole } from '../components/NeedsRole';
import { Loaded, SkeletonLines } from '../components/States';
import { AbsoluteTime } from '../components/Time';
import { useNow } from '../state/hooks';
import { notify } from '../state/notices';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { useView } from '../state/view';

const kRoles: { value: Role; help: string }[] = [
  {
    value: 'viewer',
    help: 'sees traffic, alerts, rules, incidents, the firewall and health, and exports flows; changes nothing',
  },
  {
    value: 'operator',
    help: 'also works on alerts and incidents, changes rules and suppressions, drafts the firewall and rehearses it, imports flows, and reads the logs',
  },
  {
    value: 'admin',
    help: 'also puts the firewall into force, and manages users, detectors, backups, notifications, the schedule, retention and the audit trail',
  },
];
type Act = { kind: 'create' } | { kind: 'edit' | 'delete'; row: UserRow };

export function Users({ user }: { user: User }) {
  if (!may(user, 'admin')) {
    return <NeedsRole title="Users" user={user} role="admin" what="Users are managed by" />;
  }
  return <UserList me={user} />;
}

function UserList({ me }: { me: User }) {
  const { zone } = useView();
  const now = useNow(60_000);
  const query = useQuery('users', getUsers);
  const [act, setAct] = useState<Act | null>(null);
  const done = (text: string) => {
    notify(text);
    setAct(null);
    query.reload();
  };
  return (
    <div className="narrow">
      <div className="explore-head">
        <h1 className="page-title">Users</h1>
        <span className="panel-tools">
          <button type="button" className="button button-primary" onClick={() => setAct({ kind: 'create' })}>
            <Icon name="plus" />
            New user
          </button>
        </span>
      </div>
      <Loaded query={query} skeleton={<SkeletonLines count={4} height={28} />}>
        {(users) => (
          <ul className="user-list">
            {users.map((row) => (
              <li key={row.username}>
                <span className="user-name">
                  {row.username}
                  {row.username === me.username && <span className="muted"> (you)</span>}
                </span>
                <span className="user-role">{row.role}</span>
                <span className="muted user-created">
                  since <AbsoluteTime time={row.created} now={now} zone={zone} />
                </span>
                <span className="user-actions">
                  <button
                    type="button"
                    className="text-button"
                    aria-label={`Change ${row.username}`}
                    onClick={() => setAct({ kind: 'edit', row })}
                  >
                    Change…
                  </button>
                  <button
                    type="button"
                    className="text-button bad"
                    aria-label={`Delete ${row.username}`}
                    onClick={() => setAct({ kind: 'delete', row })}
                  >
                    Delete…
                  </button>
                </span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {act?.kind === 'create' && <CreateDialog onClose={() => setAct(null)} onDone={done} />}
      {act?.kind === 'edit' && (
        <EditDialog
          row={act.row}
          self={act.row.username === me.username}
          onClose={() => setAct(null)}
          onDone={done}
        />
      )}
      {act?.kind === 'delete' && (
        <Dialog title={`Delete the user ${act.row.username}?`} onClose={() => setAct(null)}>
          <p className="dialog-text">
            {act.row.username} ({act.row.role}) is signed out everywhere and can no longer sign in. This
            cannot be undone; a user of the same name would be a new one.
          </p>
          <Form
            submit={`Delete ${act.row.username}`}
            danger
            onSubmit={async () => {
              await deleteUser(act.row.username);
              done(`Deleted ${act.row.username}.`);
            }}
          >
            {null}
          </Form>
        </Dialog>
      )}
    </div>
  );
}

function RoleChoice({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  return (
    <fieldset className="role-choice">
      <legend>Role</legend>
      {kRoles.map(({ value, help }) => (
        <label key={value} className="check">
          <input type="radio" name="role" checked={role === value} onChange={() => onChange(value)} />
          <span>
            {value} <span className="muted">{help}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function CreateDialog({ onClose, onDone }: { onClose: () => void; onDone: (text: string) => void }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  return (
    <Dialog title="New user" onClose={onClose}>
      <Form
        submit="Create"
        onSubmit={async () => {
          await createUser(username, password, role);
          onDone(`Created ${username}.`);
        }}
      >
        <Field label="User name" value={username} onChange={setUsername} autoComplete="off" autoFocus />
        <Field
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          hint="12 to 256 characters; the user can change it"
        />
        <RoleChoice role={role} onChange={setRole} />
      </Form>
    </Dialog>
  );
}

interface EditProps {
  row: UserRow;
  self: boolean;
  onClose: () => void;
  onDone: (text: string) => void;
}

function EditDialog({ row, self, onClose, onDone }: EditProps) {
  const [role, setRole] = useState<Role>(row.role);
  const [password, setPassword] = useState('');
  const submit = async () => {
    await changeUser(row.username, {
      ...(role !== row.role ? { role } : {}),
      ...(password ? { password } : {}),
    });
    onDone(`Changed ${row.username}; the user has to sign in again.`);
  };
  return (
    <Dialog title={`Change ${row.username}`} onClose={onClose}>
      <Form
        submit="Save"
        onSubmit={submit}
        check={() => (role === row.role && !password ? 'Nothing has been changed.' : null)}
      >
        <RoleChoice role={role} onChange={setRole} />
        <Field
          label="New password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          optional
          hint={
            self
              ? 'Leave empty to keep it. Saving signs you out.'
              : 'Leave empty to keep it. Saving ends the sessions of this user.'
          }
        />
      </Form>
    </Dialog>
  );
}
