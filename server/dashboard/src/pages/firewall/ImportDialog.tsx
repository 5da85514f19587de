import { useState } from 'react';
import { importTable, replaceDraft, type Firewall, type RuleSet } from '../../api/firewall';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Segmented } from '../../components/Segmented';
import { plural } from '../../lib/format';

interface Props {
  state: Firewall;
  onClose: () => void;
  onDone: (text: string) => void;
}

const kFamilies = ['inet', 'ip', 'ip6'].map((value) => ({ value, label: value }));

// A table of somebody else as a draft of ours: first what becomes of it, then whether to take it.
export function ImportDialog({ state, onClose, onDone }: Props) {
  const [family, setFamily] = useState('inet');
  const [table, setTable] = useState('filter');
  const [found, setFound] = useState<{ rules: RuleSet; unmapped: string[] } | null>(null);
  const [version] = useState(state.version);
  return (
    <Dialog title="Import a table of nftables" onClose={onClose}>
      <p className="dialog-text">The table itself is only read, and goes on as it is.</p>
      <Form
        submit="Read the table"
        onSubmit={async () => {
          setFound(null);
          setFound(await importTable(family, table.trim()));
        }}
      >
        <div className="field">
          <span className="field-label">Family</span>
          <Segmented label="Family" value={family} choices={kFamilies} onChange={setFamily} />
        </div>
        <Field label="Table" value={table} onChange={setTable} mono autoFocus />
      </Form>
      {found && (
        <>
          <p role="status">
            {plural(found.rules.rules.length, 'rule')} and {plural(found.rules.sets.length, 'set')} can be
            taken over
            {found.unmapped.length > 0 ? `; ${plural(found.unmapped.length, 'statement')} cannot:` : '.'}
          </p>
          {found.unmapped.length > 0 && (
            <ul className="unmapped mono">
              {found.unmapped.map((line, at) => (
                <li key={at}>{line}</li>
              ))}
            </ul>
          )}
          <Form
            submit="Make it the draft"
            danger
            onSubmit={async () => {
              await replaceDraft(found.rules, version);
              onDone(`The draft is what was read of ${family} ${table.trim()}; nothing is applied yet.`);
            }}
          >
            <p className="dialog-text">The present draft is replaced.</p>
          </Form>
        </>
      )}
    </Dialog>
  );
}
