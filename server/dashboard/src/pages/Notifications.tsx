import { useState } from 'react';
import { deleteChannel, getChannels, getNotificationRoutes, testChannel } from '../api/endpoints';
import { toProblem } from '../api/problem';
import type { Channel, User } from '../api/types';
import { Icon } from '../components/Icon';
import { Empty, Loaded, SkeletonLines } from '../components/States';
import { RelativeTime } from '../components/Time';
import { formatCount, plural } from '../lib/format';
import { useNow } from '../state/hooks';
import { notify, notifyProblem } from '../state/notices';
import { useQuery } from '../state/query';
import { may } from '../state/session';
import { useView } from '../state/view';
import { ChannelDialog, kKindNames } from './notifications/ChannelDialog';
import { RouteList } from './notifications/RouteList';

export function Notifications({ user }: { user: User }) {
  if (!may(user, 'admin')) {
    return (
      <Empty>
        <p>Your own notifications are under the bell above.</p>
        <p>
          Where alerts go by mail, webhook or syslog is set by the role <strong>admin</strong>; you are signed
          in with the role {user.role}.
        </p>
      </Empty>
    );
  }
  return <Settings />;
}

function Settings() {
  const channels = useQuery('notification-channels', getChannels, 15_000);
  const routes = useQuery('notification-routes', getNotificationRoutes);
  const [editing, setEditing] = useState<{ channel: Channel | null } | null>(null);
  return (
    <div className="narrow wide-narrow">
      <div className="explore-head">
        <h1 className="page-title">Notifications</h1>
        <span className="panel-tools">
          <button
            type="button"
            className="button button-primary"
            onClick={() => setEditing({ channel: null })}
          >
            <Icon name="plus" />
            New channel
          </button>
        </span>
      </div>
      <h2 className="part-title">Channels</h2>
      <Loaded query={channels} skeleton={<SkeletonLines count={3} height={44} />}>
        {(list) =>
          list.length === 0 ? (
            <Empty>
              <p>Alerts are shown here only.</p>
              <p>A channel takes them to a mailbox, a chat or a log server.</p>
            </Empty>
          ) : (
            <ul className="card-list">
              {list.map((channel) => (
                <ChannelCard
                  key={channel.id}
                  channel={channel}
                  onEdit={() => setEditing({ channel })}
                  onChanged={channels.reload}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      <h2 className="part-title">Routes</h2>
      <Loaded query={routes} skeleton={<SkeletonLines count={2} height={44} />}>
        {(list) => <RouteList routes={list} channels={channels.data ?? []} onChanged={routes.reload} />}
      </Loaded>
      {editing && (
        <ChannelDialog
          channel={editing.channel}
          onClose={() => setEditing(null)}
          onDone={(text) => {
            notify(text);
            setEditing(null);
            channels.reload();
          }}
        />
      )}
    </div>
  );
}

interface CardProps {
  channel: Channel;
  onEdit: () => void;
  onChanged: () => void;
}

function ChannelCard({ channel, onEdit, onChanged }: CardProps) {
  const { zone } = useView();
  const now = useNow(5000);
  const [testing, setTesting] = useState(false);
  const [verdict, setVerdict] = useState<{ good: boolean; text: string } | null>(null);
  const { status, settings } = channel;
  const where = String(settings.url ?? `${String(settings.host ?? '')}:${String(settings.port ?? '')}`);
  const test = async () => {
    setTesting(true);
    setVerdict(null);
    try {
      const answer = await testChannel(channel.id);
      setVerdict(
        answer.delivered
          ? {
              good: true,
              text:
                channel.kind === 'syslog' && settings.transport === 'udp'
                  ? 'Sent; over UDP nobody says whether it has come.'
                  : 'The test message was taken.',
            }
          : { good: false, text: answer.message },
      );
    } catch (error) {
      setVerdict({ good: false, text: toProblem(error).detail });
    } finally {
      setTesting(false);
    }
  };
  const remove = async () => {
    try {
      await deleteChannel(channel.id);
      onChanged();
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <li className={channel.enabled ? '' : 'is-resting'}>
      <div className="card-main">
        <p className="card-title">
          <strong>{channel.name}</strong> <span className="muted">{kKindNames[channel.kind]}</span>
          {!channel.enabled && <span className="muted">off</span>}
        </p>
        <span className="mono wrap">{where}</span>
        <p className="muted">
          {formatCount(status.delivered)} delivered in {plural(status.sent, 'message')},{' '}
          {formatCount(status.queued)} waiting, {formatCount(status.dropped + status.refused)} lost
          {status.last_success && (
            <>
              ; last one <RelativeTime time={status.last_success} now={now} zone={zone} />
            </>
          )}
        </p>
        {channel.needs_secret && (
          <p className="bad wrap">
            Sends nothing: its {channel.kind === 'email' ? 'password' : 'secret'} was stored with another key,
            as after a restore from another machine.{' '}
            <button type="button" className="text-button" onClick={onEdit}>
              Enter it again
            </button>
          </p>
        )}
        {status.last_error && (
          <p className="bad wrap">
            {status.resting ? 'Rests after failures: ' : 'Last attempt failed: '}
            {status.last_error}
          </p>
        )}
        {verdict && (
          <p className={`wrap ${verdict.good ? 'good' : 'bad'}`} role="status">
            {verdict.text}
          </p>
        )}
      </div>
      <span className="card-actions">
        <button
          type="button"
          className="button"
          disabled={testing || channel.needs_secret}
          onClick={() => void test()}
        >
          {testing ? 'Testing…' : 'Test'}
        </button>
        <button type="button" className="text-button" aria-label={`Change ${channel.name}`} onClick={onEdit}>
          Change…
        </button>
        <button
          type="button"
          className="text-button bad"
          aria-label={`Delete ${channel.name}`}
          onClick={() => void remove()}
        >
          Delete
        </button>
      </span>
    </li>
  );
}
