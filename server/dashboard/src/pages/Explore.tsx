import { useCallback, useState } from 'react';
import type { FlowOrder } from '../api/types';
import { columnsBy, kDefaultColumns } from '../components/flowColumns';
import { ColumnChooser } from '../components/ColumnChooser';
import { Coverage } from '../components/Coverage';
import { ExportMenu } from '../components/ExportMenu';
import { FlowDetail } from '../components/FlowDetail';
import { FlowTable } from '../components/FlowTable';
import { Icon } from '../components/Icon';
import { NotLoaded } from '../components/NotLoaded';
import { NoFlows } from '../components/NoFlows';
import { Empty, ProblemBox, SkeletonLines, StaleLine } from '../components/States';
import { flowCells, kFlowFields } from '../lib/flows';
import { formatCount, plural } from '../lib/format';
import { isLive } from '../lib/time';
import { useSmall } from '../state/hooks';
import { useFlowPages } from '../state/flowPages';
import { readList } from '../state/preferences';
import { useExtra, useView } from '../state/view';

export function Explore() {
  const view = useView();
  const small = useSmall();
  const [order, setOrder] = useExtra('order', '-last_seen');
  const [openId, setOpenId] = useExtra('flow');
  const [columnText, setColumnText] = useExtra('columns');
  const [atTop, setAtTop] = useState(true);
  const [hidden, setHidden] = useState('');
  const remembered = readList('nta.columns', kDefaultColumns);
  const columns = columnText ? columnText.split(',') : remembered;
  const follow = atTop && openId === '' && order === '-last_seen';
  const pages = useFlowPages(view, order as FlowOrder, follow);
  const { flows } = pages;
  const opened = flows?.find((flow) => String(flow.id) === openId);
  const close = useCallback(() => setOpenId(''), [setOpenId]);

  return (
    <div className={`explore ${opened ? 'has-detail' : ''}`}>
      <div className="explore-main">
        <div className="explore-head">
          <h1 className="page-title">Flows</h1>
          <span className="muted" role="status">
            {flows
              ? `${pages.more ? `first ${formatCount(flows.length)}, more below` : plural(flows.length, 'flow')}`
              : ''}
            {flows && isLive(view.range) ? (follow ? ', following' : ', held while you read') : ''}
          </span>
          {hidden && <span className="muted explore-hidden">No room for: {hidden}</span>}
          <span className="panel-tools">
            <Coverage answer={pages.capture && { capture: pages.capture }} />
            {isLive(view.range) && (
              <button
                type="button"
                className="icon-button"
                aria-label="Load again"
                title="Load again"
                onClick={pages.reload}
              >
                <Icon name="refresh" />
              </button>
            )}
            {small && <OrderChoice order={order as FlowOrder} onOrder={setOrder} />}
            {!small && <ColumnChooser chosen={columns} onChange={(ids) => setColumnText(ids.join(','))} />}
            <ExportMenu
              what={`${plural(flows?.length ?? 0, 'flow')} as loaded${pages.more ? '; scroll on to load more' : ''}.`}
              saved={() => ({
                name: 'flows',
                header: kFlowFields,
                rows: (flows ?? []).map(flowCells),
                json: flows ?? [],
              })}
              withImport
            />
          </span>
        </div>
        {pages.problem && flows && <StaleLine query={pages} />}
        {!flows && pages.problem && (
          <div className="explore-note">
            {pages.problem.position !== undefined ? (
              <Empty>Waiting for a valid filter.</Empty>
            ) : (
              <ProblemBox problem={pages.problem} onRetry={pages.reload} />
            )}
          </div>
        )}
        {!flows && !pages.problem && (
          <div className="explore-note" aria-busy="true">
            <SkeletonLines count={18} height={20} />
          </div>
        )}
        {flows && flows.length === 0 && (
          <div className="explore-note">
            <NoFlows />
          </div>
        )}
        {flows && flows.length > 0 && (
          <div className={`explore-table ${pages.outdated ? 'is-outdated' : ''}`}>
            <FlowTable
              flows={flows}
              columns={columnsBy(columns)}
              order={order as FlowOrder}
              onOrder={setOrder}
              scrolls
              onOpen={(flow) => setOpenId(String(flow.id))}
              openId={openId || null}
              onEnd={pages.loadMore}
              onScrolled={setAtTop}
              onHidden={setHidden}
            />
          </div>
        )}
      </div>
      {opened && <FlowDetail flow={opened} onClose={close} />}
      {flows && openId && !opened && <NotLoaded what={`Flow ${openId}`} onClose={close} />}
    </div>
  );
}

// The table's headers sort; the list of a small screen has none.
function OrderChoice({ order, onOrder }: { order: FlowOrder; onOrder: (order: FlowOrder) => void }) {
  return (
    <select
      className="select"
      aria-label="Order"
      value={order}
      onChange={(event) => onOrder(event.target.value as FlowOrder)}
    >
      <option value="-last_seen">newest</option>
      <option value="last_seen">oldest</option>
      <option value="-bytes">most bytes</option>
      <option value="-packets">most packets</option>
    </select>
  );
}
