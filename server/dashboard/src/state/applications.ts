import { useMemo } from 'react';
import { getApplications } from '../api/endpoints';
import { kValues } from '../lib/filter';
import { useQuery } from './query';

// The words that fields of the filter line can have; the server's list of applications among them, once it is needed.
export function useFilterValues(isNeeded: boolean): Record<string, string[]> {
  const query = useQuery(isNeeded ? 'applications' : null, getApplications);
  const { data } = query;
  return useMemo(
    () =>
      data
        ? {
            ...kValues,
            app: data.map((entry) => entry.name),
            category: [...new Set(data.map((entry) => entry.category))],
          }
        : kValues,
    [data],
  );
}
