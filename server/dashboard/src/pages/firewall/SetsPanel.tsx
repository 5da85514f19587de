import { useState } from 'react';
import { replaceDraft, type AddressSet, type Firewall } from '../../api/firewall';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { Empty } from '../../components/States';
import { setFromText, setToText } from '../../lib/firewall';
import { plural } from '../../lib/format';
import { Lines } from './Fields';

interface Props {
  state: Firewall;
  mayEdit: boolean;
  onDone: (text: string) => void;
}

const kKinds = [
  { value: 'hosts' as const, label: 'single hosts' },
  { value: 'prefixes' as const, label: 'networks' },
];

// Addresses by name, for rules to say @name.
export function SetsPanel({ state, mayEdit, onDone }: Props) {
  const [editing, setEditing] = useState<AddressSet | 'new' | null>(null);
  const { sets } = state.draft;
  const close = () => setEditing(null);
  return (
    <Panel
      title="Sets of addresses"
      note="addresses that rules call @name; changed in the draft"
      tools={
        mayEdit && (
          <button type="button" className="text-button" onClick={() => setEditing('new')}>
            New set…
          </button>
        )
      }
    >
      {sets.length === 0 ? (
        <Empty>
          <p>There are no sets.</p>
        </Empty>
      ) : (
        <ul className="set-list">
          {sets.map((set) => (
            <li key={set.name} data-set={set.name}>
              <strong className="mono">@{set.name}</strong>
              <span>
                {plural(set.elements.length, set.kind === 'hosts' ? 'host' : 'network')}{' '}
                <span className="muted">{sample(set)}</span>
              </span>
              {mayEdit && (
                <button
                  type="button"
                  className="text-button"
                  aria-label={`Change the set ${set.name}`}
                  onClick={() => setEditing(set)}
                >
                  Change…
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {editing && (
        <SetDialog
          state={state}
          before={editing === 'new' ? undefined : editing}
          onClose={close}
          onDone={(text) => {
            close();
            onDone(text);
          }}
        />
      )}
    </Panel>
  );
}

const sample = (set: AddressSet) =>
  set.elements
    .slice(0, 3)
    .map(({ prefix }) => prefix.replace(/\/(32|128)$/, ''))
    .join(', ') + (set.elements.length > 3 ? ', …' : '');

interface DialogProps {
  state: Firewall;
  before?: AddressSet;
  onClose: () => void;
  onDone: (text: string) => void;
}

function SetDialog({ state, before, onClose, onDone }: DialogProps) {
  const [name, setName] = useState(before?.name ?? '');
  const [kind, setKind] = useState<AddressSet['kind']>(before?.kind ?? 'hosts');
  const [text, setText] = useState(before ? setToText(before) : '');
  const [version] = useState(state.version);
  const { rules, sets, defaults } = state.draft;
  const save = async (next: AddressSet[], words: string) => {
    await replaceDraft({ rules, sets: next, defaults }, version);
    onDone(words);
  };
  return (
    <Dialog title={before ? `Change @${before.name}` : 'New set'} onClose={onClose}>
      <Form
        submit="Save the set to the draft"
        onSubmit={() => {
          const next = setFromText(name, kind, text, before);
          const others = sets.filter((set) => set.name !== before?.name);
          return save([...others, next], `Saved @${next.name} in the draft; nothing is applied yet.`);
        }}
      >
        {!before && <Field label="Name of the set" value={name} onChange={setName} mono autoFocus />}
        <div className="field">
          <span className="field-label">Holds</span>
          <Segmented label="What it holds" value={kind} choices={kKinds} onChange={setKind} />
        </div>
        <Lines
          label="Addresses"
          value={text}
          onChange={setText}
          hint={kind === 'hosts' ? 'one a line: 192.0.2.7, 2001:db8::7' : 'one a line: 192.0.2.0/24'}
        />
      </Form>
      {before && (
        <Form
          submit={`Take @${before.name} out of the draft`}
          danger
          onSubmit={() =>
            save(
              sets.filter((set) => set.name !== before.name),
              `Took @${before.name} out of the draft.`,
            )
          }
        >
          {null}
        </Form>
      )}
    </Dialog>
  );
}
