import { describe, expect, it } from 'vitest';
import { bandPath, layOut } from '../src/lib/sankey';

const kLinks = [
  { from: 'a', to: 'x', value: 60 },
  { from: 'a', to: 'y', value: 30 },
  { from: 'b', to: 'x', value: 9 },
  { from: 'x', to: 'a', value: 1 },
];

describe('who talks to whom', () => {
  const { left, right, bands, height } = layOut(kLinks);
  it('puts those who spoke first on the left, the busiest on top, and a host that does both in both', () => {
    expect(left.map((n) => n.key)).toEqual(['a', 'b', 'x']);
    expect(right.map((n) => n.key)).toEqual(['x', 'y', 'a']);
  });
  it('never lets nodes overlap or leave the picture, and gives each room for its name', () => {
    for (const nodes of [left, right]) {
      nodes.forEach((node, i) => {
        const below = nodes[i + 1];
        expect(node.height).toBeGreaterThanOrEqual(14);
        if (below) expect(below.y).toBeGreaterThanOrEqual(node.y + node.height);
      });
      const last = nodes[nodes.length - 1]!;
      expect(last.y + last.height).toBeLessThanOrEqual(height + 0.001);
    }
  });
  it('fills each node with its bands, none beside it', () => {
    for (const node of left) {
      const own = bands.filter((band) => band.from === node.key);
      expect(own.reduce((sum, band) => sum + band.width0, 0)).toBeCloseTo(node.height);
      for (const band of own) {
        expect(band.y0 - band.width0 / 2).toBeGreaterThanOrEqual(node.y - 0.001);
        expect(band.y0 + band.width0 / 2).toBeLessThanOrEqual(node.y + node.height + 0.001);
      }
    }
    for (const node of right) {
      const own = bands.filter((band) => band.to === node.key);
      expect(own.reduce((sum, band) => sum + band.width1, 0)).toBeCloseTo(node.height);
    }
  });
  it('grows with the number of hosts', () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ from: `h${i}`, to: 'x', value: 1 }));
    expect(layOut(many).height).toBeGreaterThan(1500);
  });
  it('leaves out what is nothing, and survives having nothing', () => {
    expect(layOut([{ from: 'a', to: 'b', value: 0 }])).toMatchObject({ left: [], right: [], bands: [] });
    expect(layOut([]).bands).toEqual([]);
  });
  it('tells a band by the place of its row', () =>
    expect(bands.map((band) => kLinks[band.index]!.value)).toEqual(bands.map((band) => band.value)));
  it('draws shapes without holes', () => expect(bandPath(bands[0]!, 0, 100)).toMatch(/^M0,[\d.]+C.*Z$/));
});
