import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { Flow, FlowOrder } from '../api/types';
import { isTyping, useKey, useNow, useSmall, useWidth } from '../state/hooks';
import { useView } from '../state/view';
import { fittingColumns, leastWidth, type FlowColumn } from './flowColumns';
import { FlowCard } from './FlowCard';

interface Props {
  flows: Flow[];
  columns: FlowColumn[];
  order: FlowOrder;
  onOrder: (order: FlowOrder) => void;
  onOpen: (flow: Flow) => void;
  openId: string | null;
  // Called when the end of what is loaded comes into sight.
  onEnd?: () => void;
  // A table with its own scroll bar draws only the rows in sight.
  scrolls?: boolean;
  onScrolled?: (atTop: boolean) => void;
  // The columns that found no room.
  onHidden?: (labels: string) => void;
}

const kRow = 29;
const kCard = 57;
const kExtra = 12;

export function FlowTable({
  flows,
  columns: wanted,
  order,
  onOrder,
  onOpen,
  openId,
  onEnd,
  scrolls = false,
  onScrolled,
  onHidden,
}: Props) {
  const { zone } = useView();
  const now = useNow(1000);
  const small = useSmall();
  const box = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(-1);
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(800);
  const width = useWidth(box);
  const columns = width > 0 && !small ? fittingColumns(wanted, width) : wanted;
  const hidden = wanted.filter((c) => !columns.includes(c)).map((c) => c.label);
  const hiddenText = small ? '' : hidden.join(', ');
  useEffect(() => onHidden?.(hiddenText), [onHidden, hiddenText]);
  const rowHeight = small ? kCard : kRow;

  useEffect(() => {
    const element = box.current;
    if (!element || !scrolls) return;
    const observer = new ResizeObserver(() => setRoom(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [scrolls]);

  const first = scrolls ? Math.max(0, Math.floor(top / rowHeight) - kExtra) : 0;
  const last = scrolls ? Math.min(flows.length, Math.ceil((top + room) / rowHeight) + kExtra) : flows.length;
  useEffect(() => {
    if (scrolls && onEnd && last >= flows.length - kExtra && flows.length > 0) onEnd();
  }, [scrolls, onEnd, last, flows.length]);

  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(flows.length - 1, index));
    setCursor(next);
    const element = box.current;
    if (element && scrolls) {
      const head = small ? 0 : kRow;
      if (next * rowHeight < element.scrollTop) element.scrollTop = next * rowHeight;
      const below = (next + 1) * rowHeight + head - element.clientHeight;
      if (below > element.scrollTop) element.scrollTop = below;
    } else {
      element?.querySelectorAll('[data-row]')[next]?.scrollIntoView({ block: 'nearest' });
    }
    const flow = flows[next];
    if (openId !== null && flow) onOpen(flow);
  };

  const press = (key: string): boolean => {
    if (flows.length === 0) return false;
    if (key === 'j') moveTo(cursor + 1);
    else if (key === 'k') moveTo(cursor - 1);
    else if (key === 'Enter' && flows[cursor]) onOpen(flows[cursor]);
    else return false;
    return true;
  };
  useKey((event) => {
    if (isTyping(event) || document.querySelector('dialog[open]')) return;
    // Enter on a focused control is for that control.
    if (
      event.key === 'Enter' &&
      event.target !== document.body &&
      !box.current?.isSameNode(event.target as Node)
    )
      return;
    if (press(event.key)) event.preventDefault();
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'ArrowDown') moveTo(cursor + 1);
    else if (event.key === 'ArrowUp') moveTo(cursor - 1);
    else if (event.key === 'Home') moveTo(0);
    else if (event.key === 'End') moveTo(flows.length - 1);
    else return;
    event.preventDefault();
  };

  const scrollProps = {
    ref: box,
    tabIndex: 0,
    onKeyDown,
    onScroll: scrolls
      ? () => {
          setTop(box.current?.scrollTop ?? 0);
          onScrolled?.((box.current?.scrollTop ?? 0) < 4);
        }
      : undefined,
  };
  const open = (flow: Flow, index: number) => {
    setCursor(index);
    onOpen(flow);
  };
  const rows = flows.slice(first, last);
  const state = (flow: Flow, i: number) =>
    `${first + i === cursor ? 'is-cursor' : ''} ${String(flow.id) === openId ? 'is-open' : ''}`;

  if (small) {
    return (
      <div
        className={`flow-cards ${scrolls ? 'scrolls' : ''}`}
        {...scrollProps}
        aria-label="Flows"
        role="list"
      >
        <div style={{ height: first * rowHeight }} aria-hidden="true" />
        {rows.map((flow, i) => (
          <FlowCard
            key={flow.id}
            flow={flow}
            now={now}
            zone={zone}
            className={state(flow, i)}
            onOpen={() => open(flow, first + i)}
          />
        ))}
        <div style={{ height: (flows.length - last) * rowHeight }} aria-hidden="true" />
      </div>
    );
  }
  const total = columns.reduce((sum, column) => sum + column.width, 0);
  return (
    <div
      className={`table-box ${scrolls ? 'scrolls' : ''}`}
      {...scrollProps}
      role="region"
      aria-label="Flow table"
    >
      <table
        aria-label="Flows"
        className="flow-table"
        style={{ minWidth: leastWidth(columns) }}
        aria-rowcount={flows.length}
      >
        <colgroup>
          {columns.map((c) => (
            <col key={c.id} style={{ width: `${(c.width / total) * 100}%` }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((c) => (
              <HeaderCell key={c.id} column={c} order={order} onOrder={onOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && (
            <tr className="spacer" aria-hidden="true">
              <td style={{ height: first * rowHeight }} colSpan={columns.length} />
            </tr>
          )}
          {rows.map((flow, i) => (
            <tr
              key={flow.id}
              data-row
              className={state(flow, i)}
              onClick={() => open(flow, first + i)}
              aria-rowindex={first + i + 2}
            >
              {columns.map((c) => (
                <td key={c.id} className={c.number ? 'num' : ''}>
                  {c.cell(flow, { now, zone })}
                </td>
              ))}
            </tr>
          ))}
          {last < flows.length && (
            <tr className="spacer" aria-hidden="true">
              <td style={{ height: (flows.length - last) * rowHeight }} colSpan={columns.length} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function HeaderCell({
  column,
  order,
  onOrder,
}: {
  column: FlowColumn;
  order: FlowOrder;
  onOrder: (order: FlowOrder) => void;
}) {
  const orders = column.orders;
  const className = column.number ? 'num' : '';
  if (!orders)
    return (
      <th scope="col" className={className}>
        {column.label}
      </th>
    );
  const at = orders.indexOf(order);
  const sort = at < 0 ? 'none' : order.startsWith('-') ? 'descending' : 'ascending';
  return (
    <th scope="col" className={className} aria-sort={sort}>
      <button
        type="button"
        className="sort-button"
        onClick={() => onOrder(orders[(at + 1) % orders.length]!)}
      >
        {column.label}
        <span className="sort-mark" aria-hidden="true">
          {at < 0 ? '↕' : order.startsWith('-') ? '↓' : '↑'}
        </span>
      </button>
    </th>
  );
}
