import { useState } from 'react';
import { addRule, replaceRule, type Rule } from '../../api/firewall';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Segmented } from '../../components/Segmented';
import { kNewRule, toRule, toText, type RuleText } from '../../lib/firewall';
import { Check, Choice, type Setter } from './Fields';

interface Props {
  rule?: Rule;
  version: number;
  onClose: () => void;
  onDone: (text: string) => void;
}

const kProtocols = ['', 'tcp', 'udp', 'sctp', 'icmp', 'icmpv6'];
const kWithPorts = ['tcp', 'udp', 'sctp'];
const kWithTypes = ['icmp', 'icmpv6'];

const kDirections = [
  { value: 'in' as const, label: 'in' },
  { value: 'out' as const, label: 'out' },
  { value: 'forward' as const, label: 'forwarded' },
];
const kVerdicts = [
  { value: 'accept' as const, label: 'accept' },
  { value: 'drop' as const, label: 'drop' },
  { value: 'reject' as const, label: 'reject' },
  { value: 'rate_limit' as const, label: 'limit' },
];

export function RuleDialog({ rule, version: current, onClose, onDone }: Props) {
  const [text, setText] = useState<RuleText>(rule ? toText(rule) : kNewRule);
  // Somebody else's edit meanwhile is told, not overwritten.
  const [version] = useState(current);
  const set: Setter = (name) => (value) => setText((old) => ({ ...old, [name]: value }));
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
          <span className="field-label">Packets that go</span>
          <Segmented
            label="Direction"
            value={text.direction}
            choices={kDirections}
            onChange={set('direction')}
          />
        </div>
        <div className="field">
          <span className="field-label">What becomes of them</span>
          <Segmented label="Verdict" value={text.verdict} choices={kVerdicts} onChange={set('verdict')} />
        </div>
        {text.verdict === 'rate_limit' && (
          <div className="field-pair">
            <Field label="Packets a second" value={text.rate} onChange={set('rate')} type="number" />
            <Field label="At once" value={text.burst} onChange={set('burst')} type="number" />
          </div>
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
        <Choice
          label="Protocol"
          value={text.protocol}
          values={[...new Set([...kProtocols, text.protocol])]}
          onChange={set('protocol')}
        />
        <Services text={text} set={set} />
        <Conditions text={text} set={set} />
        <Field
          label="Until"
          value={text.expires}
          onChange={set('expires')}
          mono
          optional
          hint="2026-12-01T00:00:00Z; empty: for good"
        />
        <Field label="Comment" value={text.comment} onChange={set('comment')} optional />
        <Check label="Write matching packets to the kernel's log" value={text.log} onChange={set('log')} />
        <Check
          label="Insist on networks wider than /8 (IPv4) or /16 (IPv6)"
          value={text.allowWide}
          onChange={set('allowWide')}
        />
      </Form>
    </Dialog>
  );
}

function Services({ text, set }: { text: RuleText; set: Setter }) {
  const hasPorts = kWithPorts.includes(text.protocol) || Boolean(text.ports || text.sourcePorts);
  const hasTypes = kWithTypes.includes(text.protocol) || Boolean(text.icmpTypes);
  return (
    <>
      {hasPorts && (
        <div className="field-pair">
          <Field label="From ports" value={text.sourcePorts} onChange={set('sourcePorts')} mono optional />
          <Field
            label="To ports"
            value={text.ports}
            onChange={set('ports')}
            mono
            optional
            hint="22, 8000-8080; empty: all"
          />
        </div>
      )}
      {hasTypes && (
        <Field
          label="ICMP types"
          value={text.icmpTypes}
          onChange={set('icmpTypes')}
          mono
          optional
          hint="8, 0; empty: all"
        />
      )}
    </>
  );
}

function Conditions({ text, set }: { text: RuleText; set: Setter }) {
  return (
    <>
      <div className="field-pair">
        {text.direction !== 'out' && (
          <Field
            label="Came in through"
            value={text.inInterface}
            onChange={set('inInterface')}
            mono
            optional
            hint="eth0"
          />
        )}
        {text.direction !== 'in' && (
          <Field
            label="Leaves through"
            value={text.outInterface}
            onChange={set('outInterface')}
            mono
            optional
            hint="eth1"
          />
        )}
      </div>
      <Field
        label="Connection state"
        value={text.states}
        onChange={set('states')}
        mono
        optional
        hint="new, established, related, invalid; empty: any"
      />
    </>
  );
}
