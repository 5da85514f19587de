import { createStore } from './store';

// The token of the change that this tab applied. It outlives a reload, so that the change can still be kept.
const kKey = 'nta.firewall_change';
export const change = createStore<string | null>(
  typeof sessionStorage === 'undefined' ? null : sessionStorage.getItem(kKey),
);

export function rememberChange(token: string | null): void {
  if (token) sessionStorage.setItem(kKey, token);
  else sessionStorage.removeItem(kKey);
  change.set(token);
}
