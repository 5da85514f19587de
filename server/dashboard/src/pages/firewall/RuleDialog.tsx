import { useId, useState } from 'react';
import { addRule, replaceRule, type Rule } from '../../api/firewall';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Segmented } from '../../components/Segmented';
import { kNewRule, toRule, toText, type RuleText } from '../../lib/firewall';

interface Props {
  rule?: Rule;
  version: number;
  onClose: () => void;
  onDone: (text: string) => void;
}

const kProtocols = ['', 'tcp', 'udp', 'sctp', 'icmp', 'icmpv6'];
const kWithPorts = ['tcp', 'udp', 'sctp'];

export function RuleDialog({ rule, version: current, onClose, onDone }: Props) {
  const [text, setText] = useState<RuleText>(rule ? toText(rule) : kNewRule);
  // Somebody else's edit meanwhile is told, not overwritten.
  const [version] = useState(current);
  const set = (name: keyof RuleText) => (value: string) => setText((old) => ({ ...old, [name]: value }));
  const protocolId = useId();
  return (
    <Dialog title={rule ? `Change ${rule.id}` : 'New rule'} onClose={onClose}>
      <Form
        submit={rule ? 'Save to the draft' : 'Add to the draft'}
        onSubmit={async () => {
          const next = toRule(text, rule);
          if (rule) await replaceRule(rule.id, next, version);
          else await addRule(next, version);
          onDone(`${rule ? 'Changed' : 'Added'} ${next.id} in the draft; nothing is applied yet.`);
        }}
      >
        <Field label="Name" value={text.id} onChange={set('id')} mono autoFocus hint="a-z 0-9 _ -" />
        <div className="field">
          <span className="field-label">Packets</span>
          <Segmented
            label="Direction"
            value={text.direction}
            choices={[
              { value: 'in', label: 'in' },
              { value: 'out', label: 'out' },
              { value: 'forward', label: 'forwarded' },
            ]}
            onChange={set('direction')}
          />{' '}
          <Segmented
            label="Verdict"
            value={text.verdict}
            choices={[
              { value: 'accept', label: 'accept' },
              { value: 'drop', label: 'drop' },
              { value: 'reject', label: 'reject' },
              { value: 'rate_limit', label: 'limit' },
            ]}
            onChange={set('verdict')}
          />
        </div>
        {text.verdict === 'rate_limit' && (
          <Field label="Packets a second" value={text.rate} onChange={set('rate')} type="number" />
        )}
        <Field
          label="From"
          value={text.source}
          onChange={set('source')}
          mono
          optional
          hint="192.0.2.0/24, 2001:db8::/32, @set; empty: anywhere"
        />
        <Field label="To" value={text.destination} onChange={set('destination')} mono optional />
        <div className="field">
          <label htmlFor={protocolId}>Protocol</label>
          <select
            id={protocolId}
            value={text.protocol}
            onChange={(event) => set('protocol')(event.target.value)}
          >
            {[...new Set([...kProtocols, text.protocol])].map((name) => (
              <option key={name} value={name}>
                {name || 'any'}
              </option>
            ))}
          </select>
        </div>
        {(kWithPorts.includes(text.protocol) || text.ports) && (
          <Field
            label="To ports"
            value={text.ports}
            onChange={set('ports')}
            mono
            optional
            hint="22, 8000-8080; empty: all"
          />
        )}
        <Field
          label="Connection state"
          value={text.states}
          onChange={set('states')}
          mono
          optional
          hint="new, established, related, invalid; empty: any"
        />
        <Field
          label="Until"
          value={text.expires}
          onChange={set('expires')}
          mono
          optional
          hint="2026-12-01T00:00:00Z; empty: for good"
        />
        <Field label="Comment" value={text.comment} onChange={set('comment')} optional />
      </Form>
    </Dialog>
  );
}
