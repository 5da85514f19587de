import { client } from './client';

// Long work of the server, followed by asking.
export interface Job<Result = unknown> {
  id: string;
  kind: string;
  owner: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  progress: number;
  doing: string;
  started: string;
  ended?: string;
  error?: string;
  result?: Result;
  file?: { name: string; type: string; bytes: number };
}

const kAskEveryMs = 500;

export const getJobs = async (signal?: AbortSignal) =>
  (await client.http.get<{ jobs: Job[] }>('/api/v1/jobs', { signal })).data.jobs;

export const getJob = async <R>(id: string, signal?: AbortSignal) =>
  (await client.http.get<Job<R>>(`/api/v1/jobs/${id}`, { signal })).data;

export const cancelJob = (id: string) => client.http.delete(`/api/v1/jobs/${id}`);

// Asks until the job has ended. The caller learns of each state, the last one included.
export async function followJob<R>(
  begun: Job<R>,
  onState: (job: Job<R>) => void,
  signal?: AbortSignal,
): Promise<Job<R>> {
  let job = begun;
  onState(job);
  while (job.state === 'running') {
    await new Promise((resolve) => setTimeout(resolve, kAskEveryMs));
    signal?.throwIfAborted();
    job = await getJob<R>(job.id, signal);
    onState(job);
  }
  return job;
}

// The file of a job that is done, handed to the browser to save.
export async function saveJobFile(job: Job): Promise<void> {
  const answer = await client.http.get<Blob>(`/api/v1/jobs/${job.id}/file`, {
    responseType: 'blob',
    timeout: 0,
  });
  const url = URL.createObjectURL(answer.data);
  const link = document.createElement('a');
  link.href = url;
  link.download = job.file?.name ?? 'file';
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export type TransferFormat = 'csv' | 'jsonl';

export interface ImportReport {
  lines: number;
  flows: number;
  wrong_lines: number;
  errors: { line: number; message: string }[];
  // What the file cannot tell, and what that means.
  hints?: string[];
}

export const startExport = async (params: {
  since: string;
  until: string;
  where: string;
  format: TransferFormat;
}) =>
  (
    await client.http.post<Job<{ flows: number }>>('/api/v1/exports', null, {
      params: params.where ? params : { ...params, where: undefined },
    })
  ).data;

export const startImport = async (file: File, format: TransferFormat, skipWrongLines: boolean) =>
  (
    await client.http.post<Job<ImportReport>>('/api/v1/imports', file, {
      params: { format, ...(skipWrongLines ? { skip_wrong_lines: 'true' } : {}) },
      headers: { 'Content-Type': 'application/octet-stream' },
      timeout: 0,
    })
  ).data;
