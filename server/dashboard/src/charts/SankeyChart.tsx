import { useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import type { Conversation } from '../api/types';
import { bandPath, layOut, type Band, type Node } from '../lib/sankey';
import { shorten, visible } from '../lib/text';
import { useWidth } from '../state/hooks';

interface Props {
  rows: Conversation[];
  value: (row: Conversation) => number;
  // A value in words.
  text: (value: number) => string;
  onPick: (side: 'src' | 'dst', address: string, exclude: boolean) => void;
}

const kNode = 10;
const kTop = 22;
const kMargin = { top: kTop, bottom: 4 };

// Who talks to whom. Those who spoke first stand on the left; a click on anybody filters.
export function SankeyChart({ rows, value, text, onPick }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [lit, setLit] = useState<{ side: 'left' | 'right' | 'band'; key: string } | null>(null);
  const links = useMemo(
    () => rows.map((row) => ({ from: row.source, to: row.destination, value: value(row) })),
    [rows, value],
  );
  const { left, right, bands, height } = useMemo(() => layOut(links), [links]);
  const names = useMemo(() => {
    const known = new Map<string, string>();
    for (const row of rows) {
      if (row.source_name) known.set(row.source, row.source_name);
      if (row.destination_name) known.set(row.destination, row.destination_name);
    }
    return known;
  }, [rows]);
  const narrow = width < 620;
  // Names stand beside their nodes; where there is no room they stand on the bands.
  const room = narrow ? 0 : Math.min(300, width * 0.27);
  const x0 = room;
  const x1 = Math.max(x0 + 40, width - room);
  const isLit = (band: Band) =>
    lit === null ||
    (lit.side === 'left' && band.from === lit.key) ||
    (lit.side === 'right' && band.to === lit.key) ||
    (lit.side === 'band' && String(band.index) === lit.key);
  const most = narrow ? 19 : Math.floor(room / 7.2);

  const node = (side: 'left' | 'right', item: Node) => {
    const field = side === 'left' ? 'src' : 'dst';
    const atLeft = side === 'left';
    const name = names.get(item.key);
    const shown = name ? `${item.key} ${visible(name)}` : item.key;
    const pick = (event: MouseEvent | KeyboardEvent) => onPick(field, item.key, event.altKey);
    const middle = item.y + item.height / 2;
    // Under the other's end of the bar on a small screen, outside otherwise.
    const textX = narrow ? (atLeft ? kNode + 5 : width - kNode - 5) : atLeft ? x0 - 6 : x1 + 6;
    const anchor = atLeft === narrow ? 'start' : 'end';
    return (
      <g
        key={`${side} ${item.key}`}
        className="sankey-node"
        role="button"
        tabIndex={0}
        aria-label={`${shown}, ${text(item.value)}. Filter ${field}=${item.key}`}
        onClick={pick}
        onKeyDown={(event) => {
          if (event.key === 'Enter') pick(event);
        }}
        onPointerEnter={() => setLit({ side, key: item.key })}
        onPointerLeave={() => setLit(null)}
        onFocus={() => setLit({ side, key: item.key })}
        onBlur={() => setLit(null)}
      >
        <title>{`${shown}\n${text(item.value)}\nFilter ${field}=${item.key} (Alt: exclude)`}</title>
        <rect
          className="hit"
          x={atLeft ? 0 : x1 - kNode}
          y={item.y - 2}
          width={atLeft ? x0 + kNode : width - x1 + kNode}
          height={item.height + 4}
        />
        <rect
          className="sankey-bar"
          x={atLeft ? x0 : x1 - kNode}
          y={item.y}
          width={kNode}
          height={item.height}
        />
        <text x={textX} y={middle + 4} textAnchor={anchor}>
          <tspan className="mono">{shorten(item.key, narrow ? most : 39)}</tspan>
          {name && !narrow && most - item.key.length > 5 && (
            <tspan className="sankey-name"> {shorten(visible(name), most - item.key.length - 1)}</tspan>
          )}
        </text>
      </g>
    );
  };

  return (
    <div className="sankey" ref={frame} style={{ height: height + kMargin.top + kMargin.bottom }}>
      {width > 0 && (
        <svg
          width={width}
          height={height + kMargin.top + kMargin.bottom}
          role="group"
          aria-roledescription="chart"
          aria-label="Who talks to whom: left those who spoke first, right those they spoke to."
        >
          <text className="tick" x={x0} y={12} textAnchor={narrow ? 'start' : 'end'}>
            spoke first
          </text>
          <text className="tick" x={x1} y={12} textAnchor={narrow ? 'end' : 'start'}>
            was spoken to
          </text>
          <g transform={`translate(0,${kMargin.top})`}>
            {bands.map((band) => (
              <path
                key={band.index}
                d={bandPath(band, x0 + kNode, x1 - kNode)}
                className={`sankey-band ${isLit(band) ? '' : 'is-dim'} ${lit && isLit(band) ? 'is-lit' : ''}`}
                onPointerEnter={() => setLit({ side: 'band', key: String(band.index) })}
                onPointerLeave={() => setLit(null)}
              >
                <title>{`${band.from} → ${band.to}\n${text(band.value)}`}</title>
              </path>
            ))}
            {left.map((item) => node('left', item))}
            {right.map((item) => node('right', item))}
          </g>
        </svg>
      )}
    </div>
  );
}
