import { useEffect } from 'react';
import type { Flow, FlowOrder } from '../../api/types';
import { columnsBy, kOverviewColumns } from '../../components/flowColumns';
import { FlowTable } from '../../components/FlowTable';
import { NotLoaded } from '../../components/NotLoaded';
import { NoFlows } from '../../components/NoFlows';
import { Panel } from '../../components/Panel';
import { Loaded, SkeletonLines } from '../../components/States';
import { useFlows } from '../../state/traffic';
import { linkTo, useView } from '../../state/view';

interface Props {
  order: FlowOrder;
  onOrder: (order: FlowOrder) => void;
  openId: string | null;
  onOpen: (flow: Flow) => void;
  onClose: () => void;
  isOpen: boolean;
}

const kRows = 25;
const kColumns = columnsBy(kOverviewColumns);

export function FlowsPanel({ order, onOrder, openId, onOpen, onClose, isOpen }: Props) {
  const view = useView();
  const query = useFlows(view, order, kRows);
  // A link names a flow; the table knows it when it has come.
  const named = isOpen ? undefined : query.data?.flows.find((flow) => String(flow.id) === openId);
  useEffect(() => {
    if (named) onOpen(named);
  }, [named, onOpen]);
  return (
    <Panel
      title="Flows"
      className="panel-flows"
      note={view.where ? 'as filtered' : 'all'}
      tools={
        <a className="text-button" href={linkTo(view, { page: 'explore', extra: { order } })}>
          Explore all
        </a>
      }
    >
      <Loaded query={query} skeleton={<SkeletonLines count={10} height={20} />}>
        {(page) =>
          page.flows.length === 0 ? (
            <NoFlows />
          ) : (
            <FlowTable
              flows={page.flows}
              columns={kColumns}
              order={order}
              onOrder={onOrder}
              onOpen={onOpen}
              openId={openId}
            />
          )
        }
      </Loaded>
      {openId && !isOpen && !named && query.data && !query.outdated && (
        <div className="floating-panel">
          <NotLoaded what={`Flow ${openId}`} onClose={onClose} />
        </div>
      )}
    </Panel>
  );
}
