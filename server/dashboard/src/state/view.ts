import { useCallback, useSyncExternalStore } from 'react';
import { addPill, clause, negate } from '../lib/filter';
import {
  absoluteRange,
  isValidRange,
  kDefaultRange,
  shiftRange,
  zoomOut,
  type Range,
  type Zone,
} from '../lib/time';

// The whole view lives behind the # of the address: page, range, filter, zone, and what the page adds. A link
// reproduces it; nothing secret is ever put there.
export interface View {
  page: string;
  // What the page is about, when it is about one thing: the address of a host.
  item: string;
  range: Range;
  where: string;
  zone: Zone;
  extra: Record<string, string>;
}

const kOwn = new Set(['since', 'until', 'where', 'tz']);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export function parseView(hash: string): View {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', item = ''] = path.split('/', 2);
  const params = new URLSearchParams(query);
  const range = {
    since: params.get('since') ?? kDefaultRange.since,
    until: params.get('until') ?? kDefaultRange.until,
  };
  const extra: Record<string, string> = {};
  for (const [name, value] of params) if (!kOwn.has(name)) extra[name] = value;
  return {
    page: page || 'overview',
    item: decoded(item),
    range: isValidRange(range) ? range : kDefaultRange,
    where: params.get('where') ?? '',
    zone: params.get('tz') === 'utc' ? 'utc' : 'local',
    extra,
  };
}

export function formatView(view: View): string {
  const params = new URLSearchParams();
  params.set('since', view.range.since);
  params.set('until', view.range.until);
  if (view.where) params.set('where', view.where);
  if (view.zone === 'utc') params.set('tz', 'utc');
  for (const [name, value] of Object.entries(view.extra)) if (value !== '') params.set(name, value);
  const item = view.item ? `/${encodeURIComponent(view.item)}` : '';
  return `#/${view.page}${item}?${params.toString()}`;
}

const listeners = new Set<() => void>();
let current = parseView(typeof location === 'undefined' ? '' : location.hash);

function publish(): void {
  current = parseView(location.hash);
  for (const listener of listeners) listener();
}
if (typeof window !== 'undefined') window.addEventListener('hashchange', publish);

export interface Patch {
  page?: string;
  item?: string;
  range?: Range;
  where?: string;
  zone?: Zone;
  extra?: Record<string, string>;
}

export function viewAfter(view: View, patch: Patch): View {
  // A patch that names a page names its item, too: without one it is about the page as such.
  const item = patch.item ?? (patch.page !== undefined ? '' : view.item);
  const changesPage = (patch.page ?? view.page) !== view.page || item !== view.item;
  // What a page added (an open row, a sort order) belongs to that page alone.
  const kept = changesPage ? {} : view.extra;
  return { ...view, ...patch, item, extra: { ...kept, ...patch.extra } };
}

export function setView(patch: Patch, how: 'push' | 'replace' = 'push'): void {
  const hash = formatView(viewAfter(current, patch));
  if (hash === location.hash) return;
  if (how === 'push') history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
  publish();
}
export const linkTo = (view: View, patch: Patch) => formatView(viewAfter(view, patch));

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', publish);
  return () => {
    listeners.delete(listener);
  };
}

export function useView(): View {
  return useSyncExternalStore(subscribe, () => current);
}

export function filterBy(field: string, value: string | number, exclude: boolean): void {
  const pill = clause(field, value);
  setView({ where: addPill(current.where, exclude ? negate(pill) : pill) });
}
export const zoomTo = (since: number, until: number) => setView({ range: absoluteRange(since, until) });
export const step = (direction: -1 | 1) =>
  setView({ range: shiftRange(current.range, direction, Date.now()) });
export const widen = () => setView({ range: zoomOut(current.range, Date.now()) });

export function useExtra(name: string, fallback = ''): [string, (value: string) => void] {
  const view = useView();
  const set = useCallback((value: string) => setView({ extra: { [name]: value } }, 'replace'), [name]);
  return [view.extra[name] ?? fallback, set];
}
