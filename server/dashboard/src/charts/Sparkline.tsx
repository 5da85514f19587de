import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';

interface Props {
  values: (number | null)[];
  width?: number;
  height?: number;
  label: string;
}

export function Sparkline({ values, width = 120, height = 20, label }: Props) {
  const most = values.reduce<number>((max, v) => Math.max(max, v ?? 0), 0);
  const x = scaleLinear()
    .domain([0, Math.max(1, values.length - 1)])
    .range([1, width - 1]);
  const y = scaleLinear()
    .domain([0, most || 1])
    .range([height - 2, 2]);
  const path = line<number | null>()
    .defined((v) => v !== null)
    .x((_, i) => x(i))
    .y((v) => y(v!));
  return (
    <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
      <line className="grid-line" x1={0} x2={width} y1={height - 1.5} y2={height - 1.5} />
      <path d={path(values) ?? ''} />
    </svg>
  );
}
