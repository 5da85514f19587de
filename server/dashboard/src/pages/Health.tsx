import { useState } from 'react';
import { getDailySummaries, getHealth, type Health as HealthNow } from '../api/operations';
import type { User } from '../api/types';
import { Loaded, SkeletonLines } from '../components/States';
import { RelativeTime } from '../components/Time';
import { Panel } from '../components/Panel';
import { healthSentence, healthWord } from '../lib/health';
import { plural } from '../lib/format';
import { useNow } from '../state/hooks';
import { useQuery } from '../state/query';
import { useView } from '../state/view';
import { ApiPanel, PipelinePanel, ProcessPanel } from './health/ServerPanels';
import { ThresholdDialog } from './health/Thresholds';
import { DiskPanel, MemoryPanel, NetworkPanel, ProcessorPanel, SensorPanel } from './health/MachinePanels';

const kRefreshMs = 10_000;

export function Health({ user }: { user: User }) {
  const query = useQuery('health', getHealth, kRefreshMs);
  return (
    <div className="health">
      <Loaded
        query={query}
        skeleton={
          <div className="headline">
            <div className="skeleton-line headline-skeleton" />
            <div className="skeleton-line headline-skeleton-sub" />
            <SkeletonLines count={12} height={20} />
          </div>
        }
      >
        {(health) => <HealthPage health={health} user={user} reload={query.reload} />}
      </Loaded>
    </div>
  );
}

interface Props {
  health: HealthNow;
  user: User;
  reload: () => void;
}

function HealthPage({ health, user, reload }: Props) {
  const { zone } = useView();
  const now = useNow(1000);
  const said = healthWord(health);
  const [editing, setEditing] = useState(false);
  return (
    <>
      <div className={`headline tone-${said.tone}`}>
        <h1 className="headline-main">
          <span className="headline-mark" aria-hidden="true" />
          <strong>{said.word}:</strong> {said.text}
        </h1>
        <p className="headline-sub">
          {healthSentence(health)} Measured <RelativeTime time={health.time} now={now} zone={zone} />.{' '}
          <button type="button" className="text-button" onClick={() => setEditing(true)}>
            {health.thresholds === 0 ? 'Set thresholds…' : `${plural(health.thresholds, 'threshold')}…`}
          </button>
        </p>
      </div>
      {health.findings.length > 0 && (
        <ul className="finding-list" aria-label="Findings">
          {health.findings.map((finding) => (
            <li key={`${finding.level} ${finding.name}`} className={`finding-${finding.level}`}>
              <strong>{finding.level}</strong>
              <span>{finding.words}</span>
              <span className="muted">
                since <RelativeTime time={finding.since} now={now} zone={zone} />, as{' '}
                <span className="mono">{finding.name}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
      {health.machine.problems.length > 0 && (
        <p className="health-problems muted">Not read: {health.machine.problems.join('; ')}.</p>
      )}
      <div className="health-grid">
        <ProcessorPanel machine={health.machine} />
        <MemoryPanel machine={health.machine} />
        <DiskPanel machine={health.machine} />
        <NetworkPanel machine={health.machine} />
        <PipelinePanel pipeline={health.pipeline} />
        <ApiPanel api={health.api} />
        <ProcessPanel machine={health.machine} />
        {health.machine.temperatures.length > 0 && <SensorPanel machine={health.machine} />}
        <DaysPanel />
      </div>
      {editing && <ThresholdDialog user={user} onSaved={reload} onClose={() => setEditing(false)} />}
    </>
  );
}

function DaysPanel() {
  const query = useQuery('daily summaries', getDailySummaries, 300_000);
  return (
    <Panel title="The last days" className="panel-days">
      <Loaded query={query} skeleton={<SkeletonLines count={3} height={20} />}>
        {(days) =>
          days.length === 0 ? (
            <p className="muted">A day is summed up shortly after its midnight; none is over yet.</p>
          ) : (
            <ul className="day-list">
              {days.map((day) => (
                <li key={day.day}>{day.text}</li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}
