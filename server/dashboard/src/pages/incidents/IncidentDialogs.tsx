import { useId, useState } from 'react';
import {
  addEvidence,
  changeIncident,
  createIncident,
  deleteIncident,
  linkIncident,
  type Incident,
  type IncidentState,
} from '../../api/operations';
import type { Severity as Level, User } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { kSeverities } from '../../components/Severity';
import { kIncidentStates } from '../../lib/incidents';
import { formatBytes } from '../../lib/format';

export function TextArea({
  label,
  value,
  onChange,
  rows = 4,
  hint,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  rows?: number;
  hint?: string;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} rows={rows} value={value} onChange={(event) => onChange(event.target.value)} />
      {hint && <p className="hint">{hint}</p>}
    </div>
  );
}

function Select<T extends string>({
  label,
  value,
  values,
  onChange,
}: {
  label: string;
  value: T;
  values: readonly T[];
  onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value as T)}>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
  );
}

interface CreateProps {
  user: User;
  alert?: string;
  title: string;
  severity: string;
  onClose: () => void;
  onDone: (id: string) => void;
}

export function CreateDialog({
  user,
  alert,
  title: proposed,
  severity: level,
  onClose,
  onDone,
}: CreateProps) {
  const known = kSeverities.find((one) => one === level);
  const [title, setTitle] = useState(proposed);
  const [description, setDescription] = useState('');
  const [severity, setSeverity] = useState<Level>(known ?? 'medium');
  const [assignee, setAssignee] = useState(user.username);
  return (
    <Dialog title="New incident" onClose={onClose}>
      <Form
        submit="Open incident"
        onSubmit={async () => {
          const made = await createIncident({
            title,
            description,
            severity,
            assignee,
            ...(alert ? { alert } : {}),
          });
          onDone(made.id);
        }}
      >
        <Field
          label="What happened"
          value={title}
          onChange={setTitle}
          autoFocus
          hint="One line, up to 200 characters"
        />
        <TextArea
          label="Description"
          value={description}
          onChange={setDescription}
          hint="What is known, what it touches"
        />
        <Select label="Severity" value={severity} values={kSeverities} onChange={setSeverity} />
        <Field
          label="Assignee"
          value={assignee}
          onChange={setAssignee}
          optional
          hint="The user who looks after it; may be left empty"
        />
        {alert && <p className="muted">The alert {alert} and the flows it speaks of are linked.</p>}
      </Form>
    </Dialog>
  );
}

interface Props {
  incident: Incident;
  onClose: () => void;
  onDone: (incident: Incident) => void;
}

export function ChangeDialog({ incident, onClose, onDone }: Props) {
  const [title, setTitle] = useState(incident.title);
  const [description, setDescription] = useState(incident.description);
  const [severity, setSeverity] = useState<Level>(incident.severity);
  const [state, setState] = useState<IncidentState>(incident.state);
  const [assignee, setAssignee] = useState(incident.assignee);
  const [comment, setComment] = useState('');
  return (
    <Dialog title={`Change ${incident.id}`} onClose={onClose}>
      <Form
        submit="Save"
        onSubmit={async () =>
          onDone(
            await changeIncident(incident.id, {
              version: incident.version,
              title,
              description,
              severity,
              state,
              assignee,
              ...(comment.trim() ? { comment } : {}),
            }),
          )
        }
      >
        <Field label="What happened" value={title} onChange={setTitle} />
        <TextArea label="Description" value={description} onChange={setDescription} />
        <div className="field-pair">
          <Select label="State" value={state} values={kIncidentStates} onChange={setState} />
          <Select label="Severity" value={severity} values={kSeverities} onChange={setSeverity} />
        </div>
        <Field label="Assignee" value={assignee} onChange={setAssignee} optional hint="A user, or nobody" />
        <TextArea
          label="Why"
          value={comment}
          onChange={setComment}
          rows={2}
          hint="Kept as a comment; may be left empty"
        />
      </Form>
    </Dialog>
  );
}

export function EvidenceDialog({ incident, onClose, onDone }: Props) {
  const [file, setFile] = useState<File | null>(null);
  const [description, setDescription] = useState('');
  const id = useId();
  return (
    <Dialog title="Add evidence" onClose={onClose}>
      <Form
        submit="Add"
        check={() =>
          !file
            ? 'Choose a file first.'
            : file.size === 0
              ? 'The file is empty.'
              : file.size > 16 * 2 ** 20
                ? `The file has ${formatBytes(file.size)}; 16 MiB is the most. Cut it, for a capture with editcap or tcpdump.`
                : null
        }
        onSubmit={async () => onDone(await addEvidence(incident.id, file!, description))}
      >
        <div className="field">
          <label htmlFor={id}>File</label>
          <input id={id} type="file" onChange={(event) => setFile(event.target.files?.[0] ?? null)} />
          <p className="hint">A capture, a log, a picture; up to 16 MiB. Its SHA-256 is kept with it.</p>
        </div>
        <TextArea label="What it shows" value={description} onChange={setDescription} rows={2} />
      </Form>
    </Dialog>
  );
}

export function LinkDialog({ incident, onClose, onDone }: Props) {
  const [kind, setKind] = useState<'alert' | 'flows' | 'rule' | 'note'>('note');
  const [target, setTarget] = useState('');
  const [note, setNote] = useState('');
  const hints = {
    alert: 'The id of the alert; a copy of it is kept',
    flows: 'A filter: src=192.0.2.1 and dport=22',
    rule: 'The id of a firewall rule',
    note: 'A title or an address: a ticket, a page',
  };
  return (
    <Dialog title="Link" onClose={onClose}>
      <Form
        submit="Link"
        onSubmit={async () => onDone(await linkIncident(incident.id, { kind, target, note }))}
      >
        <Select
          label="Kind"
          value={kind}
          values={['note', 'alert', 'flows', 'rule'] as const}
          onChange={setKind}
        />
        <Field
          label="Target"
          value={target}
          onChange={setTarget}
          mono
          hint={hints[kind]}
          optional={kind === 'flows'}
        />
        <TextArea label="Why it matters" value={note} onChange={setNote} rows={2} />
      </Form>
    </Dialog>
  );
}

export function DeleteDialog({ incident, onClose, onDone }: Omit<Props, 'onDone'> & { onDone: () => void }) {
  return (
    <Dialog title={`Delete ${incident.id}?`} onClose={onClose}>
      <p className="dialog-text">
        “{incident.title}” is deleted with its timeline and {incident.evidence.length} files. This cannot be
        undone. To keep a trace, close it instead, or export it first.
      </p>
      <Form
        submit={`Delete ${incident.id}`}
        danger
        onSubmit={async () => {
          await deleteIncident(incident.id);
          onDone();
        }}
      >
        {null}
      </Form>
    </Dialog>
  );
}
