import { useCallback, useEffect, useRef, useState } from 'react';
import { getFlows } from '../api/endpoints';
import { isAbort, toProblem, type Problem } from '../api/problem';
import type { CaptureCounts, Flow, FlowOrder } from '../api/types';
import { isLive, resolveRange } from '../lib/time';
import { serverNow } from './live';
import { retryDelayMs } from './query';
import { refreshMs } from './refresh';
import type { View } from './view';

const kPage = 200;

interface State {
  flows: Flow[] | undefined;
  // The question that the flows answer.
  asked: string;
  cursor: string | null;
  capture?: CaptureCounts;
  loading: boolean;
  problem: Problem | null;
  receivedAt: number | null;
}

export interface FlowPages {
  flows: Flow[] | undefined;
  // What capture lost in the range.
  capture?: CaptureCounts;
  more: boolean;
  loading: boolean;
  problem: Problem | null;
  receivedAt: number | null;
  outdated: boolean;
  loadMore: () => void;
  reload: () => void;
}

// Pages of flows by cursor. A relative range is pinned to instants with the first page: else the later pages would be
// cut from a window that has moved on. While `follow`, a live range starts over now and then.
export function useFlowPages(view: View, order: FlowOrder, follow: boolean): FlowPages {
  const { range, where } = view;
  const [state, setState] = useState<State>({
    flows: undefined,
    asked: '',
    cursor: null,
    loading: true,
    problem: null,
    receivedAt: null,
  });
  const [turn, setTurn] = useState(0);
  const question = `${range.since} ${range.until} ${where} ${order}`;
  const pinned = useRef({ since: '', until: '' });
  const busy = useRef(false);
  const controller = useRef<AbortController | null>(null);
  const following = useRef(follow);
  following.current = follow;

  const fetchPage = useCallback(
    async (cursor: string | null, signal: AbortSignal): Promise<Problem | null> => {
      busy.current = true;
      setState((old) => ({ ...old, loading: true }));
      try {
        const page = await getFlows(
          { ...pinned.current, where, order, limit: kPage, cursor: cursor ?? undefined },
          signal,
        );
        setState((old) => ({
          flows: cursor === null ? page.flows : [...(old.flows ?? []), ...page.flows],
          asked: question,
          cursor: page.next_cursor,
          capture: page.capture,
          loading: false,
          problem: null,
          receivedAt: Date.now(),
        }));
        return null;
      } catch (error) {
        if (isAbort(error) || signal.aborted) return null;
        const problem = toProblem(error);
        setState((old) => ({
          ...old,
          loading: false,
          problem,
          ...(problem.kind === 'invalid' ? { flows: undefined, cursor: null } : {}),
        }));
        return problem;
      } finally {
        if (!signal.aborted) busy.current = false;
      }
    },
    [where, order, question],
  );

  useEffect(() => {
    const own = new AbortController();
    controller.current = own;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let loaded = false;
    const start = async () => {
      const [since, until] = resolveRange(range, serverNow());
      pinned.current = { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
      const problem = await fetchPage(null, own.signal);
      if (own.signal.aborted) return;
      failures = problem ? failures + 1 : 0;
      loaded ||= !problem;
      if (problem && problem.kind !== 'invalid' && problem.kind !== 'forbidden')
        plan(retryDelayMs(failures - 1, problem));
      else if (!problem && isLive(range)) plan(refreshMs(range));
    };
    const plan = (delay: number) => {
      timer = setTimeout(() => {
        const reading = loaded && !following.current;
        if (document.hidden || reading || busy.current) plan(1000);
        else void start();
      }, delay);
    };
    void start();
    return () => {
      own.abort();
      clearTimeout(timer);
      busy.current = false;
    };
  }, [fetchPage, turn]);

  const { cursor } = state;
  const loadMore = useCallback(() => {
    if (!busy.current && cursor !== null && controller.current)
      void fetchPage(cursor, controller.current.signal);
  }, [cursor, fetchPage]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return {
    ...state,
    more: cursor !== null,
    outdated: state.flows !== undefined && state.asked !== question,
    loadMore,
    reload,
  };
}
