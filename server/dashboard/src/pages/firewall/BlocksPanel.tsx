import { useState } from 'react';
import { unblockAddress, type Block } from '../../api/firewall';
import type { User } from '../../api/types';
import { BlockDialog } from '../../components/BlockButton';
import { HostLink } from '../../components/HostLink';
import { Panel } from '../../components/Panel';
import { Empty, Loaded, SkeletonLines } from '../../components/States';
import { RelativeTime } from '../../components/Time';
import { scopeInWords } from '../../lib/firewall';
import { formatCount, formatDuration, formatNumber } from '../../lib/format';
import { parseTime } from '../../lib/time';
import { useNow } from '../../state/hooks';
import { notify, notifyProblem } from '../../state/notices';
import type { Query } from '../../state/query';
import { may } from '../../state/session';
import { useView } from '../../state/view';

function leftInWords(block: Block, now: number): string {
  if (!block.until) return 'until it is lifted';
  const seconds = Math.max(0, (parseTime(block.until) - now) / 1000);
  return `${formatDuration(Math.ceil(seconds))} left`;
}

function effectInWords({ effect }: Block): string {
  const now = `${formatCount(effect.packets)} packets dropped`;
  if (effect.packets_per_second_before <= 0) return now;
  const rate = (value: number) => `${formatNumber(value)} packets/s`;
  return `${now}; ${rate(effect.packets_per_second_before)} before, ${rate(effect.packets_per_second_now)} now`;
}

export function BlocksPanel({ query, user }: { query: Query<Block[]>; user: User }) {
  const now = useNow(1000);
  const { zone } = useView();
  const [asking, setAsking] = useState(false);
  const mayBlock = may(user, 'admin');
  const lift = async (address: string) => {
    try {
      await unblockAddress(address);
      notify(`Lifted the block of ${address}.`);
    } catch (error) {
      notifyProblem(error);
    }
    query.reload();
  };
  return (
    <Panel
      title="Blocked"
      note="ahead of the rules, each until its time is over"
      tools={
        mayBlock && (
          <button type="button" className="text-button" onClick={() => setAsking(true)}>
            Block an address…
          </button>
        )
      }
    >
      <Loaded query={query} skeleton={<SkeletonLines count={2} height={28} />}>
        {(blocks) =>
          blocks.length === 0 ? (
            <Empty>
              <p>Nobody is blocked. Alerts and flows have a button for it.</p>
            </Empty>
          ) : (
            <ul className="block-list">
              {blocks.map((block) => (
                <li key={block.id} data-block={block.address}>
                  <span className="mono">
                    <HostLink address={block.address} />
                  </span>
                  <span>{leftInWords(block, now)}</span>
                  <span>
                    {scopeInWords(block.scope)}; {effectInWords(block)}
                  </span>
                  <span className="muted">
                    {[
                      block.reason,
                      block.alert_id && `alert ${block.alert_id}`,
                      block.author && `by ${block.author}`,
                    ]
                      .filter(Boolean)
                      .join(', ')}{' '}
                    <RelativeTime time={block.since} now={now} zone={zone} />
                  </span>
                  {mayBlock && (
                    <button
                      type="button"
                      className="text-button"
                      aria-label={`Unblock ${block.address}`}
                      onClick={() => void lift(block.address)}
                    >
                      Unblock
                    </button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {asking && <BlockDialog address="" reason="" onClose={() => setAsking(false)} onDone={query.reload} />}
    </Panel>
  );
}
