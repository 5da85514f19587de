import { useRef } from 'react';
import { useWidth } from '../state/hooks';

interface Props {
  observed: number;
  expected: number;
  low: number | null;
  high: number | null;
  format: (value: number) => string;
}

const kHeight = 64;
const kBar = { y: 18, height: 16 };

// What was seen against what would have been nothing unusual.
export function BandChart({ observed, expected, low, high, format }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const most = Math.max(observed, expected, high ?? 0) * 1.08 || 1;
  const x = (value: number) => (Math.max(0, value) / most) * Math.max(1, width);
  const band = high !== null && high > 0 ? [x(low ?? 0), x(high)] : null;
  // Left of the middle the words begin at the value, right of it they end there: never outside the chart.
  const label = (value: number, word: string, top: number) => {
    const at = x(value);
    return (
      <span
        className="band-label"
        aria-hidden="true"
        style={at > width / 2 ? { top, right: Math.max(0, width - at) } : { top, left: at }}
      >
        {word} {format(value)}
      </span>
    );
  };
  return (
    <div className="band-chart" ref={frame}>
      <svg
        width={width}
        height={kHeight}
        role="img"
        aria-label={`Observed ${format(observed)}, expected ${format(expected)}${
          high !== null ? `, usual up to ${format(high)}` : ''
        }`}
      >
        <rect className="band-track" x={0} y={kBar.y} width={width} height={kBar.height} />
        {band && (
          <rect
            className="band-usual"
            x={band[0]}
            y={kBar.y - 3}
            width={Math.max(2, band[1]! - band[0]!)}
            height={kBar.height + 6}
          />
        )}
        <rect className="band-observed" x={0} y={kBar.y + 4} width={Math.max(2, x(observed))} height={8} />
        <line className="band-expected" x1={x(expected)} x2={x(expected)} y1={kBar.y - 5} y2={kBar.y + 21} />
      </svg>
      {label(observed, 'observed', -1)}
      {label(expected, 'expected', 42)}
    </div>
  );
}
