import { useCallback, useState } from 'react';
import type { Flow, FlowOrder } from '../api/types';
import { columnsBy, kDefaultColumns } from '../components/flowColumns';
import { ColumnChooser } from '../components/ColumnChooser';
import { FlowDetail } from '../components/FlowDetail';
import { FlowTable } from '../components/FlowTable';
import { Icon } from '../components/Icon';
import { ExportDialog, ImportDialog } from '../components/TransferDialogs';
import { NotLoaded } from '../components/NotLoaded';
import { NoFlows } from '../components/NoFlows';
import { Popover } from '../components/Popover';
import { Empty, ProblemBox, SkeletonLines, StaleLine } from '../components/States';
import { download, toCsv } from '../lib/csv';
import { flowCells, kFlowFields } from '../lib/flows';
import { formatCount, plural } from '../lib/format';
import { isLive } from '../lib/time';
import { useSmall } from '../state/hooks';
import { useFlowPages } from '../state/flowPages';
import { session } from '../state/session';
import { useStore } from '../state/store';
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
  const [transfer, setTransfer] = useState<Transfer | null>(null);
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
            <ExportMenu flows={flows ?? []} more={pages.more} onTransfer={setTransfer} />
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
      {transfer === 'export' && (
        <ExportDialog range={view.range} where={view.where} onClose={() => setTransfer(null)} />
      )}
      {transfer === 'import' && <ImportDialog onClose={() => setTransfer(null)} />}
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

type Transfer = 'export' | 'import';

interface ExportProps {
  flows: Flow[];
  more: boolean;
  onTransfer: (transfer: Transfer) => void;
}

function ExportMenu({ flows, more, onTransfer }: ExportProps) {
  const current = useStore(session);
  const mayImport = current.phase === 'signed_in' && current.user.role !== 'viewer';
  const csv = () => download('flows.csv', 'text/csv;charset=utf-8', toCsv(kFlowFields, flows.map(flowCells)));
  const json = () => download('flows.json', 'application/json', JSON.stringify({ flows }, null, 2));
  return (
    <Popover label="Export" buttonClass="icon-button" button={<Icon name="download" />}>
      {(close) => (
        <div className="menu">
          <p className="muted">
            {plural(flows.length, 'flow')} as loaded{more ? '; scroll on to load more' : ''}.
          </p>
          <button
            type="button"
            className="menu-item"
            onClick={() => {
              csv();
              close();
            }}
          >
            Save as CSV
          </button>
          <button
            type="button"
            className="menu-item"
            onClick={() => {
              json();
              close();
            }}
          >
            Save as JSON
          </button>
          <p className="muted">Of the whole range and filter, or from a file.</p>
          <button
            type="button"
            className="menu-item"
            onClick={() => {
              onTransfer('export');
              close();
            }}
          >
            Export all…
          </button>
          {mayImport && (
            <button
              type="button"
              className="menu-item"
              onClick={() => {
                onTransfer('import');
                close();
              }}
            >
              Import…
            </button>
          )}
        </div>
      )}
    </Popover>
  );
}
