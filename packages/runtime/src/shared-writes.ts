/** Where lines go in the end; `flushSync` returns when all are there. */
export type LineSink = { write: (text: string) => unknown; flushSync: () => void };

/** Too short for anybody who reads along, and long enough for what a busy process has to say to be written together. */
const SHARED_MS = 20;

/**
 * Hands on together what is written within one turn of the event loop, and when the last time was a moment ago, within that moment:
 * each write costs a hand-over to a thread, and that more than the line itself. `onExit` is told what is still to be done when the
 * process ends; one that is killed takes the lines of its last moment with it.
 */
export function sharingWrites(sink: LineSink, onExit: (handOn: () => void) => void): LineSink {
  let lines = '';
  let handedOnAt = Number.NEGATIVE_INFINITY;

  function handOn(): void {
    if (lines === '') return;
    const text = lines;
    lines = '';
    handedOnAt = performance.now();
    sink.write(text);
  }

  function schedule(): void {
    const pauseMs = handedOnAt + SHARED_MS - performance.now();
    if (pauseMs > 0) setTimeout(handOn, pauseMs);
    else setImmediate(handOn);
  }

  onExit(handOn);
  return {
    write: (line) => {
      if (lines === '') schedule();
      lines += line;
    },
    flushSync: () => {
      handOn();
      sink.flushSync();
    },
  };
}
