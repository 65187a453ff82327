/** Where lines go in the end; `flushSync` returns when all are there. */
export type LineSink = { write: (text: string) => unknown; flushSync: () => void };

/**
 * Hands on together what is written within one turn of the event loop: each write costs a hand-over to a thread, and the
 * lines of events that were stored together come all at once. `onExit` is told what is still to be done when the process ends.
 */
export function sharingWrites(sink: LineSink, onExit: (handOn: () => void) => void): LineSink {
  let lines = '';

  function handOn(): void {
    if (lines === '') return;
    const text = lines;
    lines = '';
    sink.write(text);
  }

  onExit(handOn);
  return {
    write: (line) => {
      if (lines === '') setImmediate(handOn);
      lines += line;
    },
    flushSync: () => {
      handOn();
      sink.flushSync();
    },
  };
}
