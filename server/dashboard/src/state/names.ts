import { useMemo } from 'react';
import { getNames } from '../api/endpoints';
import type { HostName } from '../api/types';
import { useQuery } from './query';
import { refreshMs } from './refresh';
import type { View } from './view';

// The latest name that each of these addresses was known by in the range of the view. Names come after the numbers
// beside them, and a list without names is still a list: no error is shown.
const kMost = 64;
export function useNames(view: View, addresses: string[]): (address: string) => HostName | undefined {
  const asked = addresses.slice(0, kMost).sort().join(',');
  const query = useQuery(
    asked === '' ? null : `names ${view.range.since} ${view.range.until} ${asked}`,
    (signal) => getNames({ ...view.range, address: asked }, signal),
    Math.max(refreshMs(view.range), view.range.until === 'now' ? 60_000 : 0),
  );
  return useMemo(() => {
    const names = new Map(query.data?.rows.map((row) => [row.address, row.names[0]]));
    return (address) => names.get(address);
  }, [query.data]);
}
