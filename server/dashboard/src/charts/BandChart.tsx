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
  const text = (value: number, label: string, y: number) => {
    const at = x(value);
    return (
      <text x={at} y={y} textAnchor={at > width * 0.7 ? 'end' : at < width * 0.15 ? 'start' : 'middle'}>
        {label} {format(value)}
      </text>
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
        {text(observed, 'observed', 12)}
        {text(expected, 'expected', 56)}
      </svg>
    </div>
  );
}
