import type { Severity as Level } from '../api/types';

// Colour, shape and word say the same thing: ring, square, diamond, triangle, octagon.
const kShapes: Record<Level, string> = {
  info: 'M8 3.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Zm0 2.2a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6Z',
  low: 'M3.8 3.8h8.4v8.4H3.8Z',
  medium: 'M8 1.8 14.2 8 8 14.2 1.8 8Z',
  high: 'M8 1.8 15 14H1Z',
  critical: 'M4.7 .5h6.6L15.5 4.7v6.6l-4.2 4.2H4.7L.5 11.3V4.7ZM6.9 3.4v5.7h2.2V3.4ZM6.9 10.6v2.2h2.2v-2.2Z',
};

export const kSeverities: Level[] = ['critical', 'high', 'medium', 'low', 'info'];
export const severityPath = (level: string) => kShapes[level as Level] ?? kShapes.info;

export function SeverityShape({ level }: { level: string }) {
  return (
    <svg
      className={`severity-shape severity-${level}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path fillRule="evenodd" d={severityPath(level)} />
    </svg>
  );
}

export function Severity({ level }: { level: string }) {
  return (
    <span className={`severity severity-${level}`}>
      <SeverityShape level={level} />
      <span>{level}</span>
    </span>
  );
}
