import type { Severity as Level } from '../api/types';

// Colour, shape and word say the same thing: ring, square, diamond, triangle, octagon.
const kShapes: Record<Level, string> = {
  info: 'M8 3.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Zm0 2.200a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.600Z',
  low: 'M3.8 3.800h8.400v8.400H3.800Z',
  medium: 'M8 1.8 14.2 8 8 14.2 1.8 8Z',
  high: 'M8 1.8 15 14H1Z',
  critical: 'M5.3 1.500h5.400l3.8 3.800v5.400l-3.8 3.800H5.300l-3.8-3.800V5.300Z',
};

export const kSeverities: Level[] = ['critical', 'high', 'medium', 'low', 'info'];
export const severityPath = (level: string) => kShapes[level as Level] ?? kShapes.info;

export function SeverityShape({ level }: { level: string }) {
  return (
    <svg className={`severity-shape severity-${level}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
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
