import { client } from '../api/client';
import { getMe } from '../api/endpoints';
import { toProblem, type Problem } from '../api/problem';
import type { Role, User } from '../api/types';
import { createStore } from './store';

export type Session =
  | { phase: 'starting' }
  | { phase: 'unreachable'; problem: Problem }
  | { phase: 'first_run' }
  | { phase: 'signed_out'; ended: boolean }
  | { phase: 'signed_in'; user: User };

export const session = createStore<Session>({ phase: 'starting' });

client.onUser = (user) => session.set({ phase: 'signed_in', user });
client.onSignedOut = () => {
  // Only somebody who was in can be told that the session ended.
  session.set({ phase: 'signed_out', ended: session.get().phase === 'signed_in' });
};

export async function startSession(): Promise<void> {
  try {
    if (client.canResume && (await client.refresh())) {
      await ensureUser();
      return;
    }
    session.set(
      (await client.setupNeeded()) ? { phase: 'first_run' } : { phase: 'signed_out', ended: false },
    );
  } catch (error) {
    session.set({ phase: 'unreachable', problem: toProblem(error) });
  }
}

// Answers of login and refresh carry the user; a server that leaves it out is asked.
async function ensureUser(): Promise<void> {
  if (session.get().phase !== 'signed_in') session.set({ phase: 'signed_in', user: await getMe() });
}

export async function signIn(username: string, password: string): Promise<void> {
  await client.signIn(username, password);
  await ensureUser();
}

export async function firstRun(token: string, username: string, password: string): Promise<void> {
  await client.setUp(token, username, password);
  await ensureUser();
}

export async function signOut(): Promise<void> {
  await client.signOut().catch(() => undefined);
  session.set({ phase: 'signed_out', ended: false });
}

const kRank: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };
export const may = (user: User, role: Role) => kRank[user.role] >= kRank[role];
