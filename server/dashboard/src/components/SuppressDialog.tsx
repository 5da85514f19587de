import { useState } from 'react';
import { suppressAlert } from '../api/endpoints';
import type { Alert } from '../api/types';
import { alertClassName, detectorName } from '../lib/format';
import { Dialog } from './Dialog';
import { Field, Form } from './Form';

const kDay = 86_400_000;
const kUntil = [
  { value: '1', label: 'for a day' },
  { value: '7', label: 'for a week' },
  { value: '30', label: 'for 30 days' },
  { value: 'date', label: 'until a date' },
  { value: '', label: 'until it is removed' },
];

export function SuppressDialog({
  alert,
  onClose,
  onDone,
}: {
  alert: Alert;
  onClose: () => void;
  onDone: () => void;
}) {
  const { source, destination } = alert.entity ?? {};
  const scopes = [
    ...(source && destination
      ? [{ value: 'pair', label: `this pair: from ${source} to ${destination}` }]
      : []),
    ...(source ? [{ value: 'source', label: `from ${source}` }] : []),
    ...(destination ? [{ value: 'destination', label: `to ${destination}` }] : []),
    { value: 'detector', label: `from anybody to anybody` },
  ];
  const [scope, setScope] = useState(scopes[0]!.value);
  const [until, setUntil] = useState('7');
  const [date, setDate] = useState(() => new Date(Date.now() + 14 * kDay).toISOString().slice(0, 10));
  const [reason, setReason] = useState('');
  const end = () => {
    if (until === '') return undefined;
    if (until === 'date') return `${date}T23:59:59Z`;
    return new Date(Date.now() + Number(until) * kDay).toISOString();
  };
  return (
    <Dialog title="Suppress alerts like this one" onClose={onClose}>
      <Form
        submit="Suppress"
        check={() => (reason.trim() ? null : 'Say why, for those who come after you.')}
        onSubmit={async () => {
          await suppressAlert(alert.id, { scope, reason: reason.trim(), until: end() });
          onDone();
        }}
      >
        <fieldset className="role-choice">
          <legend>{`Hide ${alertClassName(alert.class).toLowerCase()} alerts of the detector ${detectorName(alert.detector)}`}</legend>
          {scopes.map((choice) => (
            <label key={choice.value} className="check">
              <input
                type="radio"
                name="scope"
                checked={scope === choice.value}
                onChange={() => setScope(choice.value)}
              />
              <span>{choice.label}</span>
            </label>
          ))}
        </fieldset>
        <div className="field">
          <label htmlFor="suppress-until">How long</label>
          <select
            id="suppress-until"
            className="select"
            value={until}
            onChange={(event) => setUntil(event.target.value)}
          >
            {kUntil.map((choice) => (
              <option key={choice.value} value={choice.value}>
                {choice.label}
              </option>
            ))}
          </select>
        </div>
        {until === 'date' && <Field label="Last day (UTC)" type="date" value={date} onChange={setDate} />}
        <Field
          label="Reason"
          value={reason}
          onChange={setReason}
          hint="It is shown with the suppression, beside your name and how many alerts it has hidden."
          optional
        />
      </Form>
    </Dialog>
  );
}
