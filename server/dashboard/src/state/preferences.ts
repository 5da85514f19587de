import { createStore } from './store';

// What belongs to the person and the screen rather than to the view: kept in the browser, never in a link.
export type Theme = 'system' | 'light' | 'dark';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be full or forbidden; the choice then lasts as long as the page.
  }
}

const stored = typeof window === 'undefined' ? null : read('nta.theme');
export const theme = createStore<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');

export function applyTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const chosen = theme.get();
    document.documentElement.dataset.theme = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
  };
  dark.addEventListener('change', apply);
  theme.subscribe(() => {
    remember('nta.theme', theme.get());
    apply();
  });
  apply();
}

export function readList(key: string, fallback: string[]): string[] {
  const text = read(key);
  return text ? text.split(',').filter(Boolean) : fallback;
}
