import { scaleLinear } from 'd3-scale';
import { area, curveStepAfter } from 'd3-shape';
import { sparkPoints } from '../lib/series';

interface Props {
  values: (number | null)[];
  width?: number;
  height?: number;
  label: string;
}

// Steps, as in the large chart: a lone value is seen, and a gap stays one.
export function Sparkline({ values, width = 120, height = 20, label }: Props) {
  const most = values.reduce<number>((max, v) => Math.max(max, v ?? 0), 0);
  const x = scaleLinear()
    .domain([0, Math.max(1, values.length)])
    .range([0, width]);
  const y = scaleLinear()
    .domain([0, most || 1])
    .range([height - 1.5, 1]);
  const path = area<[number, number] | null>()
    .defined((point) => point !== null)
    .x((point) => x(point![0]))
    .y0(height - 1)
    .y1((point) => y(point![1]))
    .curve(curveStepAfter);
  return (
    <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
      <line className="grid-line" x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      <path d={path(sparkPoints(values)) ?? ''} />
    </svg>
  );
}
