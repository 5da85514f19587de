import { bisector } from 'd3-array';
import { useRef, useState } from 'react';
import type { Shaped } from '../lib/series';

interface TimeScale {
  (value: number): number;
  invert(px: number): Date;
}
const kBisect = bisector((time: number) => time);

// The crosshair's moment. Held as a time, so that it stays on its data while a live chart moves.
export function useCursor(shaped: Shaped, x: TimeScale) {
  const [time, setTime] = useState<number | null>(null);
  const latest = useRef<number | null>(null);
  const { times, stepMs } = shaped;

  const indexOf = (moment: number | null): number | null => {
    if (moment === null || times.length === 0) return null;
    const i = kBisect.right(times, moment) - 1;
    return i < 0 ? null : Math.min(i, times.length - 1);
  };
  const put = (moment: number | null) => {
    latest.current = moment;
    setTime(moment);
  };
  return {
    index: indexOf(time),
    time: () => latest.current,
    clear: () => put(null),
    pointAt: (px: number) => put(x.invert(px).getTime()),
    move: (step: number): number | null => {
      if (times.length === 0) return null;
      const from = indexOf(latest.current);
      const index =
        from === null
          ? step < 0
            ? times.length - 1
            : 0
          : Math.max(0, Math.min(times.length - 1, from + step));
      put(times[index]! + stepMs / 2);
      return index;
    },
  };
}
