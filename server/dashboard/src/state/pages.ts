import { useEffect, useRef, useState } from 'react';
import { tryAndTell } from './notices';

interface Page {
  next_cursor: string | null;
}

// Pages behind the first one of a list, fetched when somebody asks for them. Another question begins anew.
export function usePages<T extends Page>(
  key: string,
  first: T | undefined,
  fetchPage: (cursor: string) => Promise<T>,
): { older: T[]; more: boolean; busy: boolean; load: () => void } {
  const [older, setOlder] = useState<T[]>([]);
  const [busy, setBusy] = useState(false);
  const asked = useRef(key);
  useEffect(() => {
    asked.current = key;
    setOlder([]);
  }, [key]);
  const last = older.at(-1) ?? first;
  const load = () => {
    const cursor = last?.next_cursor;
    if (!cursor || busy) return;
    setBusy(true);
    void tryAndTell(async () => {
      const page = await fetchPage(cursor);
      if (asked.current === key) setOlder((pages) => [...pages, page]);
    }).finally(() => setBusy(false));
  };
  return { older, more: !!last?.next_cursor, busy, load };
}
