import { toProblem } from '../api/problem';
import { createStore } from './store';

export interface Notice {
  id: number;
  text: string;
}
export const notices = createStore<Notice[]>([]);
let next = 1;

export function notify(text: string): void {
  const notice = { id: next++, text };
  notices.set([...notices.get().slice(-2), notice]);
  setTimeout(() => notices.set(notices.get().filter((n) => n.id !== notice.id)), 3500);
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`Copied ${text}`);
  } catch {
    notify('The browser did not allow copying; select the text instead.');
  }
}

// Something asked for with a click: what comes of it is told, also when it fails.
export async function tryAndTell(act: () => Promise<unknown>, done?: string): Promise<void> {
  try {
    await act();
    if (done) notify(done);
  } catch (error) {
    notify(toProblem(error).detail);
  }
}
