import { useState } from 'react';
import { absoluteRange, fromInput, toInput } from '../lib/time';
import { FilterSelect } from './Filters';
import { useExtra, useView } from '../state/view';

const kSpans = [
  { value: '', label: 'Any time' },
  { value: '-15m', label: 'Last 15 minutes' },
  { value: '-1h', label: 'Last hour' },
  { value: '-24h', label: 'Last 24 hours' },
  { value: '-7d', label: 'Last 7 days' },
  { value: 'own', label: 'From … to' },
];

export interface TimeSpan {
  since?: string;
  until?: string;
}

// A time to look at that is the list's own: records go back for months, where the range of the top bar means traffic.
// The address keeps it.
export function useTimeSpan(): [TimeSpan, React.ReactNode] {
  const { zone } = useView();
  const [since, setSince] = useExtra('after');
  const [until, setUntil] = useExtra('before');
  const isRelative = kSpans.some(({ value }) => value === since);
  const [own, setOwn] = useState(since !== '' && !isRelative);
  const shown = (text: string) => (text.endsWith('Z') ? toInput(Date.parse(text), zone) : '');
  const set = (text: string, keep: (value: string) => void) => {
    const at = fromInput(text, zone);
    keep(Number.isFinite(at) ? absoluteRange(at, at).since : '');
  };
  const choose = (value: string) => {
    setOwn(value === 'own');
    setSince(value === 'own' ? '' : value);
    setUntil('');
  };
  const span = { since: since || undefined, until: until || undefined };
  const filter = (
    <>
      <FilterSelect label="Time" value={own ? 'own' : since} choices={kSpans} onChange={choose} />
      {own && (
        <>
          <input
            className="log-filter log-filter-time"
            type="datetime-local"
            step="1"
            aria-label="From"
            value={shown(since)}
            onChange={(event) => set(event.target.value, setSince)}
          />
          <input
            className="log-filter log-filter-time"
            type="datetime-local"
            step="1"
            aria-label="To"
            value={shown(until)}
            onChange={(event) => set(event.target.value, setUntil)}
          />
        </>
      )}
    </>
  );
  return [span, filter];
}
