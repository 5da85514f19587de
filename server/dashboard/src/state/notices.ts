import { sentence } from '../lib/format';
import { toProblem } from '../api/problem';
import { createStore } from './store';

export interface Notice {
  id: number;
  text: string;
  isError: boolean;
}
export const notices = createStore<Notice[]>([]);
let next = 1;

const kMost = 3;

export const dismiss = (id: number) => notices.set(notices.get().filter((notice) => notice.id !== id));

export function notify(text: string): void {
  const notice = { id: next++, text, isError: false };
  notices.set([...notices.get().slice(1 - kMost), notice]);
  setTimeout(() => dismiss(notice.id), 3500);
}

// What went wrong stays until somebody has read it; said twice, it stands there once.
export function notifyError(text: string): void {
  const others = notices.get().filter((notice) => !(notice.isError && notice.text === text));
  notices.set([...others.slice(1 - kMost), { id: next++, text, isError: true }]);
}
export const notifyProblem = (error: unknown) => notifyError(sentence(toProblem(error).detail));

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`Copied ${text}`);
  } catch {
    notifyError('The browser did not allow copying; select the text instead.');
  }
}

// Something asked for with a click: what comes of it is told, also when it fails.
export async function tryAndTell(act: () => Promise<unknown>, done?: string): Promise<void> {
  try {
    await act();
    if (done) notify(done);
  } catch (error) {
    notifyProblem(error);
  }
}
