import { describe, expect, it } from 'vitest';
import type { Alert } from '../src/api/types';
import { clusterAlerts } from '../src/charts/AlertMarks';

const alert = (second: number, severity: Alert['severity']) =>
  ({ id: `${second}`, time: new Date(second * 1000).toISOString(), severity }) as Alert;
const x = (ms: number) => ms / 1000;

describe('marks of alerts', () => {
  it('join where they would overlap and keep the most severe', () => {
    const clusters = clusterAlerts(
      [alert(50, 'low'), alert(12, 'low'), alert(5, 'info'), alert(9, 'critical')],
      x,
      [0, 100_000],
    );
    expect(clusters.map((c) => [c.px, c.worst.severity, c.count])).toEqual([
      [5, 'critical', 3],
      [50, 'low', 1],
    ]);
  });
  it('leave out what lies outside', () =>
    expect(clusterAlerts([alert(500, 'high')], x, [0, 100_000])).toEqual([]));
});
