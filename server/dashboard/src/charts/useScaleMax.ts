import { useEffect, useRef, useState } from 'react';
import { nextScale, type ScaleState } from '../lib/series';

const kGlideMs = 240;

// The top of the vertical scale: see nextScale() for when it moves. It glides there unless motion is unwelcome.
export function useScaleMax(peak: number, key: string, live: boolean): { max: number; shrank: boolean } {
  const state = useRef<{ key: string; scale: ScaleState } | null>(null);
  const now = Date.now();
  const known = state.current?.key === key ? state.current.scale : null;
  const scale = live && known ? nextScale(known, peak, now) : nextScale(null, peak, now);
  state.current = { key, scale };

  const [shown, setShown] = useState(scale.max);
  const from = useRef(scale.max);
  const fresh = known === null || !live;
  useEffect(() => {
    if (fresh || matchMedia('(prefers-reduced-motion: reduce)').matches) {
      from.current = scale.max;
      setShown(scale.max);
      return;
    }
    const start = performance.now();
    const origin = from.current;
    let frame = 0;
    const step = (time: number) => {
      const t = Math.min(1, (time - start) / kGlideMs);
      from.current = origin + (scale.max - origin) * (1 - (1 - t) ** 3);
      setShown(from.current);
      if (t < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
    // Only a new target starts a glide; `fresh` is read as it was then.
  }, [scale.max, key]);
  const shrank = scale.shrankAt !== null && now - scale.shrankAt < 6000;
  return { max: fresh ? scale.max : shown, shrank };
}
