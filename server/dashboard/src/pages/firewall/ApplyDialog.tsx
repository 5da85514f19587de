import { useState } from 'react';
import { applyDraft, type Firewall } from '../../api/firewall';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Segmented } from '../../components/Segmented';
import { rememberChange } from '../../state/firewallChange';

interface Props {
  state: Firewall;
  onClose: () => void;
  onDone: (text: string) => void;
}

const kTimes = [
  { value: '10', label: '10 s' },
  { value: '30', label: '30 s' },
  { value: '60', label: '1 min' },
  { value: '300', label: '5 min' },
];

export function ApplyDialog({ state, onClose, onDone }: Props) {
  const [password, setPassword] = useState('');
  const [seconds, setSeconds] = useState('60');
  return (
    <Dialog title="Apply the draft?" onClose={onClose}>
      <p className="dialog-text">
        The draft goes into force at once. Unless you press Keep within the time below, the rules of now come
        back by themselves.
      </p>
      <pre className="diff">{state.diff_text}</pre>
      <Form
        submit="Apply"
        danger
        onSubmit={async () => {
          const { token } = await applyDraft(password, Number(seconds));
          rememberChange(token);
          onDone('Applied. Keep it before the time is over.');
        }}
      >
        <div className="field">
          <span className="field-label">Rolled back unless kept within</span>
          <Segmented label="Time to keep it" value={seconds} choices={kTimes} onChange={setSeconds} />
        </div>
        <Field
          label="Your password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          autoFocus
        />
      </Form>
    </Dialog>
  );
}
