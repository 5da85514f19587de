import { describe, expect, it } from 'vitest';
import { columnsBy, fittingColumns, kDefaultColumns, kFlowColumns } from '../src/components/flowColumns';

const ids = (room: number) => fittingColumns(columnsBy(kDefaultColumns), room).map((c) => c.id);

describe('columns', () => {
  it('are all shown where there is room', () => expect(ids(1374)).toEqual(kDefaultColumns));
  it('give way by rank beside an open panel, never cut', () => {
    expect(ids(1012)).toEqual(kDefaultColumns.filter((id) => !['end_reason', 'source_port'].includes(id)));
    const few = ids(720);
    expect(few).not.toContain('source_port');
    expect(few).toContain('application');
  });
  it('keep who, whom, what and how much however narrow it gets', () =>
    expect(ids(1)).toEqual([
      'last_seen',
      'source_address',
      'destination_address',
      'destination_port',
      'bytes',
    ]));
  it('have ranks of their own, so that one goes at a time', () => {
    const ranks = kFlowColumns.flatMap((c) => (c.hides === undefined ? [] : [c.hides]));
    expect(new Set(ranks).size).toBe(ranks.length);
  });
});
