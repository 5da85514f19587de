import { useState, type FormEvent } from 'react';
import {
  describeRange,
  formatRelative,
  fromInput,
  isLive,
  kPresets,
  resolveRange,
  shortRange,
  toInput,
  absoluteRange,
} from '../lib/time';
import { isTyping, useKey, useSmall } from '../state/hooks';
import { serverNow } from '../state/live';
import { setView, step, useView, widen } from '../state/view';
import { Icon } from './Icon';
import { Popover } from './Popover';

export function RangePicker() {
  const small = useSmall();
  const { range, zone } = useView();
  useKey((event) => {
    if (isTyping(event) || document.querySelector('dialog[open], [role=dialog]')) return;
    if (event.key === '-') widen();
    else if (event.key === ',') step(-1);
    else if (event.key === '.') step(1);
    else return;
    event.preventDefault();
  });
  return (
    <div className="range-picker">
      {!small && <StepButton direction={-1} />}
      <Popover
        label="Time range"
        buttonClass="button range-button"
        button={
          <>
            <Icon name="clock" />
            <span>{(small && shortRange(range)) || describeRange(range, zone)}</span>
            <Icon name="down" />
          </>
        }
      >
        {(close) => <RangePanel close={close} />}
      </Popover>
      {!small && <StepButton direction={1} />}
      <button
        type="button"
        className="icon-button"
        aria-label="Zoom out"
        title="Zoom out (- or double-click a chart)"
        onClick={widen}
      >
        <Icon name="zoomOut" />
      </button>
      {!small && <ZoneButton />}
    </div>
  );
}

function ZoneButton() {
  const { zone } = useView();
  return (
    <button
      type="button"
      className="text-button zone-button"
      aria-label={`Times are ${zone === 'utc' ? 'UTC' : 'local'}; switch`}
      title="Switch between local time and UTC"
      onClick={() => setView({ zone: zone === 'utc' ? 'local' : 'utc' }, 'replace')}
    >
      {zone === 'utc' ? 'UTC' : 'Local'}
    </button>
  );
}

function StepButton({ direction }: { direction: -1 | 1 }) {
  const { range } = useView();
  const earlier = direction === -1;
  return (
    <button
      type="button"
      className="icon-button step-button"
      aria-label={earlier ? 'Earlier' : 'Later'}
      title={earlier ? 'One range earlier (,)' : 'One range later (.)'}
      disabled={!earlier && isLive(range)}
      onClick={() => step(direction)}
    >
      <Icon name={earlier ? 'left' : 'right'} />
    </button>
  );
}

function RangePanel({ close }: { close: () => void }) {
  const { range, zone } = useView();
  const [since, until] = resolveRange(range, serverNow());
  const [from, setFrom] = useState(toInput(since, zone));
  const [to, setTo] = useState(toInput(until, zone));
  const [wrong, setWrong] = useState('');
  const apply = (event: FormEvent) => {
    event.preventDefault();
    const a = fromInput(from, zone);
    const b = fromInput(to, zone);
    if (!Number.isFinite(a) || !Number.isFinite(b)) setWrong('Both times are needed.');
    else if (a >= b) setWrong('"From" must be before "To".');
    else {
      setView({ range: absoluteRange(a, b) });
      close();
    }
  };
  const small = useSmall();
  return (
    <div className="range-panel">
      {small && (
        <div className="range-steps">
          <StepButton direction={-1} /> <span className="muted">earlier, later</span>{' '}
          <StepButton direction={1} />
          <ZoneButton />
        </div>
      )}
      <ul className="range-presets">
        {kPresets.map((preset) => (
          <li key={preset.since}>
            <button
              type="button"
              aria-pressed={isLive(range) && range.since === preset.since}
              onClick={() => {
                setView({ range: { since: preset.since, until: 'now' } });
                close();
              }}
            >
              {preset.label}
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={apply} className="range-form">
        <label>
          From
          <input type="datetime-local" step="1" value={from} onChange={(e) => setFrom(e.target.value)} />
        </label>
        <label>
          To
          <input type="datetime-local" step="1" value={to} onChange={(e) => setTo(e.target.value)} />
        </label>
        <p className="muted">
          {zone === 'utc'
            ? 'Times in UTC.'
            : `Times of this machine (${Intl.DateTimeFormat().resolvedOptions().timeZone}).`}{' '}
          Began {formatRelative(since, Date.now())}.
        </p>
        {wrong && (
          <p className="bad" role="alert">
            {wrong}
          </p>
        )}
        <button type="submit" className="button button-primary">
          Show
        </button>
      </form>
    </div>
  );
}
