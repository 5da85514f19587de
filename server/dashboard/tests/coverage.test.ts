import { describe, expect, it } from 'vitest';
import { coverageText, lossText } from '../src/lib/coverage';

const kNone = { packets_seen: 2748, packets_dropped: 0, flows_evicted: 0, flows_dropped: 0 };

describe('what an answer rests on', () => {
  it('says that nothing was lost only when nothing was', () => {
    expect(lossText(kNone)).toBeNull();
    expect(coverageText({ source: 'rollup', capture: kNone })).toBe(
      'rollup · 2,748 packets seen, none dropped',
    );
  });
  it('names each kind of loss', () => {
    const text = lossText({ packets_seen: 10, packets_dropped: 1, flows_evicted: 2, flows_dropped: 3 });
    expect(text).toBe('1 packet dropped, 2 flows cut short, 3 flows not stored');
  });
});
