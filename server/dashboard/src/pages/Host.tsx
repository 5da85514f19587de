import { useState } from 'react';
import { getHost } from '../api/endpoints';
import type { Flow, Host as HostAnswer } from '../api/types';
import { AlertList } from '../components/AlertList';
import { FlowDetail } from '../components/FlowDetail';
import { columnsBy, kHostColumns } from '../components/flowColumns';
import { FlowTable } from '../components/FlowTable';
import { PairTable } from '../components/PairTable';
import { Panel } from '../components/Panel';
import { Empty, Loaded, ProblemBox, SkeletonLines } from '../components/States';
import { ThroughputPanel } from '../components/ThroughputPanel';
import { addPill, clause } from '../lib/filter';
import { toMix } from '../lib/mix';
import { useNow } from '../state/hooks';
import { useQuery } from '../state/query';
import { refreshMs } from '../state/refresh';
import { linkTo, setView, useExtra, useView } from '../state/view';
import { HostHead } from './host/HostHead';
import { ApplicationsPanel, PortsPanel } from './host/HostPanels';

const kColumns = columnsBy(kHostColumns);

// Everything about one address, in the range and under the filter of the page.
export function Host({ address }: { address: string }) {
  const view = useView();
  const query = useQuery(
    `host ${address} ${view.range.since} ${view.range.until} ${view.where}`,
    (signal) => getHost(address, { ...view.range, where: view.where }, signal),
    Math.max(refreshMs(view.range), view.range.until === 'now' ? 15_000 : 0),
  );
  const pill = clause('host', address);
  const where = view.where.includes(pill) ? view.where : addPill(view.where, pill);
  const [mixText, setMix] = useExtra('mix', 'application');
  const openAlert = (id: string) => setView({ page: 'alerts', extra: { alert: id } });
  const head = (
    <HostHead address={address} query={query} flowsLink={linkTo(view, { page: 'explore', where })} />
  );
  // Nothing to show: said once, not in every panel.
  if (!query.data && query.problem) {
    return (
      <>
        {head}
        <div className="host-problem">
          {query.problem.position !== undefined ? (
            <Empty>Waiting for a valid filter.</Empty>
          ) : (
            <ProblemBox problem={query.problem} onRetry={query.reload} />
          )}
        </div>
      </>
    );
  }
  return (
    <>
      {head}
      <div className="overview-grid host-grid">
        <ThroughputPanel
          where={where}
          about={view.where ? 'as filtered' : ''}
          mix={toMix(mixText, 'application')}
          onMix={setMix}
          alerts={query.data?.alerts ?? []}
          highlight={null}
          onAlert={openAlert}
        />
        <ApplicationsPanel query={query} />
        <PeersPanel address={address} query={query} />
        <HostAlerts query={query} onOpen={openAlert} />
        <PortsPanel
          title="Services it used"
          note="by port of the other side"
          empty="It reached no service of others in this range."
          rows={(host) => host.ports}
          other={(host) => host.ports_other}
          query={query}
          where={`src=${address}`}
        />
        <PortsPanel
          title="Services it offered"
          note="by its own port"
          empty="Nobody reached a service of it in this range."
          rows={(host) => host.served_ports}
          other={(host) => host.served_ports_other}
          query={query}
          where={`dst=${address}`}
        />
        <RecentFlows query={query} where={where} />
      </div>
    </>
  );
}

type HostQuery = ReturnType<typeof useQuery<HostAnswer>>;

function PeersPanel({ address, query }: { address: string; query: HostQuery }) {
  return (
    <Panel title="Peers" note="by bytes" className="panel-peers">
      <Loaded query={query} skeleton={<SkeletonLines count={8} height={22} />}>
        {(host) =>
          host.peers.length === 0 ? (
            <Empty>It talked to nobody in this range.</Empty>
          ) : (
            <PairTable rows={host.peers} total={host.total.bytes} of={address} />
          )
        }
      </Loaded>
    </Panel>
  );
}

function HostAlerts({ query, onOpen }: { query: HostQuery; onOpen: (id: string) => void }) {
  const { zone } = useView();
  const now = useNow(1000);
  return (
    <Panel title="Alerts about it" className="panel-host-alerts">
      <Loaded query={query} skeleton={<SkeletonLines count={3} height={36} />}>
        {(host) =>
          host.alerts.length === 0 ? (
            <Empty>No alert named this host in this range.</Empty>
          ) : (
            <AlertList
              alerts={host.alerts.slice(0, 6)}
              now={now}
              zone={zone}
              onOpen={(alert) => onOpen(String(alert.id))}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

function RecentFlows({ query, where }: { query: HostQuery; where: string }) {
  const view = useView();
  const [open, setOpen] = useState<Flow | null>(null);
  return (
    <Panel
      title="Latest flows"
      className="panel-flows"
      tools={
        <a className="text-button" href={linkTo(view, { page: 'explore', where })}>
          Explore all
        </a>
      }
    >
      <Loaded query={query} skeleton={<SkeletonLines count={8} height={20} />}>
        {(host) =>
          host.flows.length === 0 ? (
            <Empty>No flow of it ended in this range.</Empty>
          ) : (
            <FlowTable
              flows={host.flows}
              columns={kColumns}
              order="-last_seen"
              onOrder={(order) => setView({ page: 'explore', where, extra: { order } })}
              onOpen={setOpen}
              openId={open && String(open.id)}
            />
          )
        }
      </Loaded>
      {open && (
        <div className="floating-panel">
          <FlowDetail flow={open} onClose={() => setOpen(null)} />
        </div>
      )}
    </Panel>
  );
}
