import { describe, expect, it } from 'vitest';
import type { Capture } from '../src/api/types';
import { stages } from '../src/lib/capture';

const kCapture: Capture = {
  source: 'eth0',
  kind: 'interface',
  state: 'running',
  message: '',
  ledger: { received: 100, decoded: 80, malformed: 5, unsupported: 10, filtered: 0, dropped: 5 },
  flow_table: { active: 3, capacity: 10, started: 5, ended: 2, evicted: 1 },
  store: { flows_written: 2, flows_dropped: 0, queue: 0 },
};
const stage = (capture: Capture, label: string) => stages(capture).find((s) => s.label === label);

describe('the stages of a capture', () => {
  it('tell the kernel from the interface when the server does', () => {
    const capture = { ...kCapture, capture: { received: 95, dropped_buffer: 4, dropped_interface: 1 } };
    expect(stage(capture, 'Kernel ring')).toMatchObject({ lost: 4, isLoss: true });
    expect(stage(capture, 'Interface')).toMatchObject({ lost: 1, isLoss: true });
    expect(stage(capture, 'Capture')).toBeUndefined();
  });
  it('tell the sum of drops when that is all there is', () =>
    expect(stage(kCapture, 'Capture')).toMatchObject({ lost: 5, isLoss: true }));
  it('name what is not supported apart from what is malformed, most first', () => {
    const decode_reasons = { unknown_llc: 2, unknown_ether_type: 8, bad_udp_length: 5, truncated_link: 0 };
    const capture = { ...kCapture, decode_reasons };
    expect(stage(capture, 'Unsupported')?.parts).toEqual([
      '8 unknown EtherType',
      '2 802.2 LLC without IP (spanning tree, IS-IS)',
    ]);
    expect(stage(capture, 'Malformed')?.parts).toEqual(['5 bad udp length']);
  });
  it('call evicted flows a loss and filtered packets none', () => {
    expect(stage(kCapture, 'Flow table')).toMatchObject({ lost: 1, isLoss: true });
    expect(stage(kCapture, 'Filtered')).toMatchObject({ isLoss: false });
  });
});
