import { AxiosError, isCancel } from 'axios';

// What went wrong, in the terms of RFC 9457, whatever the cause: an answer of the server, or none.
export interface Problem {
  kind:
    'offline' | 'unavailable' | 'too_slow' | 'forbidden' | 'signed_out' | 'limited' | 'invalid' | 'failed';
  status: number;
  title: string;
  detail: string;
  position?: number;
  retryAfterSeconds?: number;
}

function kindOf(status: number): Problem['kind'] {
  if (status === 400 || status === 409 || status === 413 || status === 415) return 'invalid';
  if (status === 401) return 'signed_out';
  if (status === 403) return 'forbidden';
  if (status === 429) return 'limited';
  if (status === 502 || status === 503 || status === 504) return 'unavailable';
  return 'failed';
}

export function isAbort(error: unknown): boolean {
  return isCancel(error) || (error instanceof DOMException && error.name === 'AbortError');
}

export function toProblem(error: unknown): Problem {
  if (!(error instanceof AxiosError)) {
    return {
      kind: 'failed',
      status: 0,
      title: 'Unexpected failure',
      detail: error instanceof Error ? error.message : String(error),
    };
  }
  const response = error.response;
  if (!response) {
    return {
      kind: 'offline',
      status: 0,
      title: 'The server does not answer',
      detail: 'No connection to nta-server. Check that it runs and that this machine reaches it.',
    };
  }
  const body = (typeof response.data === 'object' && response.data !== null ? response.data : {}) as Record<
    string,
    unknown
  >;
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const retry = Number(response.headers?.['retry-after']);
  return {
    // Asking again would take as long again.
    kind: body.reason === 'query_timeout' ? 'too_slow' : kindOf(response.status),
    status: response.status,
    title: text('title') || `HTTP ${response.status}`,
    detail: text('detail') || text('title') || `The server answered ${response.status}.`,
    position: typeof body.position === 'number' ? body.position : undefined,
    retryAfterSeconds: Number.isFinite(retry) && retry > 0 ? retry : undefined,
  };
}

// What the person can do about it; shown beside the detail.
export function advice(problem: Problem): string {
  switch (problem.kind) {
    case 'offline':
      return 'Retrying by itself; the last data stays on screen.';
    case 'unavailable':
      return 'Retrying by itself. If it lasts, look at the log of nta-server.';
    case 'too_slow':
      return 'Narrow the time range or the filter, or export the flows: an export may take its time.';
    case 'forbidden':
      return 'Ask an administrator for the role named above.';
    case 'signed_out':
      return 'Sign in again.';
    case 'limited':
      return `Too many requests; the next try is in ${problem.retryAfterSeconds ?? 'a few'} seconds.`;
    case 'invalid':
      return 'Change the request and try again.';
    case 'failed':
      return 'Try again; if it happens twice, it is a defect worth reporting.';
  }
}
