import { useState, type KeyboardEvent, type PointerEvent, type RefObject } from 'react';

interface TimeScale {
  (value: number): number;
  invert(px: number): Date;
}

interface Options {
  x: TimeScale;
  frame: RefObject<HTMLElement | null>;
  onZoom: (since: number, until: number) => void;
  onZoomOut: () => void;
  onPoint: (px: number) => void;
  onKeyMove: (step: number) => void;
  keyTime: () => number | null;
}

const kLeastPixels = 6;

// Drag selects a span of time, with mouse, pen or finger; double-click zooms out; the keys do the same. The span is held
// in time, not in pixels, because a live chart moves underneath it.
export function useBrush({ x, frame, onZoom, onZoomOut, onPoint, onKeyMove, keyTime }: Options) {
  const [span, setSpan] = useState<[number, number] | null>(null);
  const [dragging, setDragging] = useState(false);
  const at = (event: PointerEvent) => event.clientX - (frame.current?.getBoundingClientRect().left ?? 0);
  const timeAt = (px: number) => x.invert(px).getTime();

  const finish = (chosen: [number, number]) => {
    const [a, b] = chosen[0] < chosen[1] ? chosen : [chosen[1], chosen[0]];
    setSpan(null);
    setDragging(false);
    if (x(b) - x(a) >= kLeastPixels) onZoom(a, b);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const big = event.shiftKey ? 10 : 1;
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      onKeyMove(event.key === 'ArrowLeft' ? -big : big);
      const time = keyTime();
      if (span && time !== null) setSpan([span[0], time]);
    } else if (event.key === 'Enter' || event.key === ' ') {
      const time = keyTime();
      if (time === null) return;
      if (span) finish([span[0], time]);
      else setSpan([time, time]);
    } else if (event.key === '-' || event.key === 'Backspace') {
      onZoomOut();
    } else if (event.key === 'Escape' && span) {
      setSpan(null);
    } else {
      return;
    }
    event.preventDefault();
  };

  return {
    span,
    cancel: () => {
      setSpan(null);
      setDragging(false);
    },
    handlers: {
      onKeyDown,
      onDoubleClick: onZoomOut,
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const time = timeAt(at(event));
        setSpan([time, time]);
        setDragging(true);
      },
      onPointerMove: (event: PointerEvent) => {
        onPoint(at(event));
        if (dragging && span) setSpan([span[0], timeAt(at(event))]);
      },
      onPointerUp: (event: PointerEvent) => {
        if (dragging && span) finish([span[0], timeAt(at(event))]);
      },
      onPointerCancel: () => {
        setSpan(null);
        setDragging(false);
      },
    },
  };
}
