import { useState } from 'react';
import { changeChannel, createChannel } from '../../api/endpoints';
import type { Channel, ChannelKind } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Field, Form } from '../../components/Form';
import { Segmented } from '../../components/Segmented';

export const kKindNames: Record<ChannelKind, string> = {
  email: 'E-mail',
  webhook: 'Webhook',
  syslog: 'Syslog',
};
const kKinds = (Object.keys(kKindNames) as ChannelKind[]).map((value) => ({
  value,
  label: kKindNames[value],
}));
const kSecurities = [
  { value: 'starttls', label: 'STARTTLS' },
  { value: 'tls', label: 'TLS' },
  { value: 'none', label: 'None' },
];
const kTransports = [
  { value: 'udp', label: 'UDP' },
  { value: 'tcp', label: 'TCP' },
];
const kPorts: Record<ChannelKind, string> = { email: '587', webhook: '', syslog: '514' };

const list = (text: string) => text.split(/[\s,]+/).filter(Boolean);
const text = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : value === undefined || value === null ? '' : String(value);

interface Props {
  channel: Channel | null;
  onClose: () => void;
  onDone: (text: string) => void;
}

// What is secret goes in and never comes out: an empty field keeps it.
export function ChannelDialog({ channel, onClose, onDone }: Props) {
  const [kind, setKind] = useState<ChannelKind>(channel?.kind ?? 'email');
  const [name, setName] = useState(channel?.name ?? '');
  const [enabled, setEnabled] = useState(channel?.enabled ?? true);
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(Object.entries(channel?.settings ?? {}).map(([key, value]) => [key, text(value)])),
  );
  const value = (key: string, fallback = '') => values[key] ?? fallback;
  const set = (key: string) => (next: string) => setValues((old) => ({ ...old, [key]: next }));
  const keeps = (key: string) =>
    channel?.needs_secret
      ? 'The stored one cannot be read any more: enter it again.'
      : channel && value(key) === 'true'
        ? 'Leave empty to keep the one that is stored.'
        : 'optional';

  const settings = (): Record<string, unknown> => {
    const port = Number(value('port', kPorts[kind]));
    if (kind === 'webhook') {
      return {
        url: value('url').trim(),
        allowed_networks: list(value('allowed_networks')),
        ca_file: value('ca_file').trim(),
        ...(value('secret') ? { secret: value('secret') } : {}),
      };
    }
    if (kind === 'syslog') {
      return { host: value('host').trim(), port, transport: value('transport', 'udp') };
    }
    return {
      host: value('host').trim(),
      port,
      security: value('security', 'starttls'),
      username: value('username').trim(),
      from: value('from').trim(),
      to: list(value('to')),
      ca_file: value('ca_file').trim(),
      ...(value('password') ? { password: value('password') } : {}),
    };
  };
  const save = async () => {
    const body = { name: name.trim(), kind, enabled, settings: settings() };
    await (channel ? changeChannel(channel.id, body) : createChannel(body));
    onDone(`Saved ${body.name}. A test message shows whether it works.`);
  };
  return (
    <Dialog title={channel ? `Change ${channel.name}` : 'New channel'} onClose={onClose}>
      <Form submit="Save" onSubmit={save}>
        {!channel && <Segmented label="Kind" value={kind} choices={kKinds} onChange={setKind} />}
        <Field label="Name" value={name} onChange={setName} autoFocus hint="for people" />
        {kind === 'webhook' ? (
          <>
            <Field label="Address" value={value('url')} onChange={set('url')} mono hint="https://…" />
            <Field
              label="Secret"
              type="password"
              autoComplete="new-password"
              value={value('secret')}
              onChange={set('secret')}
              optional
              hint={`${keeps('has_secret')} Signs each request, so that the receiver can check it.`}
            />
            <Field
              label="Own networks that may be told"
              value={value('allowed_networks')}
              onChange={set('allowed_networks')}
              mono
              optional
              hint="Only public addresses are told otherwise."
            />
          </>
        ) : (
          <div className="field-row">
            <Field label="Server" value={value('host')} onChange={set('host')} mono />
            <Field label="Port" type="number" value={value('port', kPorts[kind])} onChange={set('port')} />
          </div>
        )}
        {kind === 'email' && (
          <>
            <Segmented
              label="Encryption"
              value={value('security', 'starttls')}
              choices={kSecurities}
              onChange={set('security')}
            />
            <div className="field-row">
              <Field
                label="User name"
                value={value('username')}
                onChange={set('username')}
                autoComplete="off"
                optional
              />
              <Field
                label="Password"
                type="password"
                autoComplete="new-password"
                value={value('password')}
                onChange={set('password')}
                optional
                hint={keeps('has_password')}
              />
            </div>
            <Field label="From" value={value('from')} onChange={set('from')} hint="nta@example.org" />
            <Field label="To" value={value('to')} onChange={set('to')} hint="one address or several" />
          </>
        )}
        {kind !== 'syslog' && (
          <Field
            label="Certificates to trust"
            value={value('ca_file')}
            onChange={set('ca_file')}
            mono
            optional
            hint="A PEM file on the server, for an authority of your own; empty: the system's."
          />
        )}
        {kind === 'syslog' && (
          <Segmented
            label="Transport"
            value={value('transport', 'udp')}
            choices={kTransports}
            onChange={set('transport')}
          />
        )}
        <label className="check">
          <input type="checkbox" checked={enabled} onChange={(event) => setEnabled(event.target.checked)} />
          <span>Use it</span>
        </label>
      </Form>
    </Dialog>
  );
}
