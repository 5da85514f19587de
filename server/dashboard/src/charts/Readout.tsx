import { seriesClass } from '../lib/colors';
import { si } from '../lib/format';
import { guessAt, isOnlyGuess, totals, type Shaped } from '../lib/series';
import { formatAbsolute, type Zone } from '../lib/time';

interface Props {
  shaped: Shaped;
  index: number;
  unit: string;
  nameOf: (key: string) => string;
  zone: Zone;
  left: number;
  width: number;
}

// All series at the crosshair's moment, on the side where there is room.
export function Readout({ shaped, index, unit, nameOf, zone, left, width }: Props) {
  const sum = totals({ ...shaped, times: [shaped.times[index]!], values: column(shaped, index) })[0];
  const toLeft = left > width / 2;
  return (
    <div className={`readout ${toLeft ? 'readout-left' : ''}`} style={{ left }} aria-hidden="true">
      <div className="readout-time">
        {formatAbsolute(shaped.times[index]!, zone)}
        {shaped.filling?.since === shaped.times[index] && ', still filling'}
      </div>
      {sum === null || sum === undefined ? (
        <div className="muted">capture did not run</div>
      ) : (
        <table>
          <tbody>
            {[...shaped.keys].reverse().map((key) => (
              <tr key={key}>
                <td>
                  <span
                    className={`swatch ${seriesClass(key)} ${isOnlyGuess(shaped, key) ? 'swatch-guess' : ''}`}
                  />
                  {nameOf(key)}
                  {isOnlyGuess(shaped, key) && '?'}
                </td>
                <td className="num">{si(shaped.values[key]![index] ?? 0, unit)}</td>
                {shaped.guessed && (
                  <td className="num muted">
                    {guessAt(shaped, key, index) > 0 && `${si(guessAt(shaped, key, index), unit)} guessed`}
                  </td>
                )}
              </tr>
            ))}
            {shaped.keys.length > 1 && (
              <tr className="sum">
                <td>all</td>
                <td className="num">{si(sum, unit)}</td>
              </tr>
            )}
          </tbody>
        </table>
      )}
      {shaped.dropped[index]! > 0 && <div className="bad">{shaped.dropped[index]} packets dropped</div>}
    </div>
  );
}

function column(shaped: Shaped, index: number): Shaped['values'] {
  return Object.fromEntries(shaped.keys.map((key) => [key, [shaped.values[key]![index] ?? null]]));
}
