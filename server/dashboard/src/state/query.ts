import { useCallback, useEffect, useRef, useState } from 'react';
import { isAbort, toProblem, type Problem } from '../api/problem';

export interface Query<T> {
  data: T | undefined;
  // The key that `data` answers: differs from the asked one while a new answer is on its way.
  dataKey: string | undefined;
  // True when the data shown is the answer to an earlier question.
  outdated: boolean;
  problem: Problem | null;
  loading: boolean;
  // When the data shown was received; with a problem beside it, the data is stale since then.
  receivedAt: number | null;
  reload: () => void;
}

interface State<T> {
  data: T | undefined;
  dataKey: string | undefined;
  problem: Problem | null;
  loading: boolean;
  receivedAt: number | null;
}

const kNoData = { data: undefined, dataKey: undefined, receivedAt: null };
const kRetryable = new Set<Problem['kind']>(['offline', 'unavailable', 'limited', 'failed']);

export function retryDelayMs(attempt: number, problem: Problem): number {
  if (problem.retryAfterSeconds) return problem.retryAfterSeconds * 1000;
  return Math.min(60_000, 2000 * 2 ** attempt);
}

// Asks now, again every refreshMs (0: never), and after failures with growing pauses. Old data stays until new data
// is there. A hidden page does not ask.
export function useQuery<T>(
  key: string | null,
  fetcher: (signal: AbortSignal) => Promise<T>,
  refreshMs = 0,
): Query<T> {
  const [state, setState] = useState<State<T>>({
    data: undefined,
    dataKey: undefined,
    problem: null,
    loading: key !== null,
    receivedAt: null,
  });
  const fetcherRef = useRef(fetcher);
  fetcherRef.current = fetcher;
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    if (key === null) {
      setState({ data: undefined, dataKey: undefined, problem: null, loading: false, receivedAt: null });
      return;
    }
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let attempt = 0;
    const plan = (delay: number) => {
      timer = setTimeout(() => (document.hidden ? plan(Math.max(delay, 1000)) : void run()), delay);
    };
    const run = async () => {
      setState((old) => ({ ...old, loading: true }));
      try {
        const data = await fetcherRef.current(controller.signal);
        if (controller.signal.aborted) return;
        attempt = 0;
        setState({ data, dataKey: key, problem: null, loading: false, receivedAt: Date.now() });
        if (refreshMs > 0) plan(refreshMs);
      } catch (error) {
        if (controller.signal.aborted || isAbort(error)) return;
        const problem = toProblem(error);
        // What the server will not answer has no answer: data of an earlier question would pass for one.
        const refused = problem.kind === 'invalid' || problem.kind === 'forbidden';
        setState((old) => ({ ...old, ...(refused ? kNoData : {}), problem, loading: false }));
        if (kRetryable.has(problem.kind)) plan(retryDelayMs(attempt++, problem));
      }
    };
    void run();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [key, refreshMs, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, outdated: state.data !== undefined && state.dataKey !== key, reload };
}
