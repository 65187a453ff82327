/** Awaited between steps of long work: at once while a turn lasts, and after it, when everything else that waited has gone on. */
export type Pause = () => Promise<void> | undefined;

/** Work that may take long, for a body of so many bytes. */
export type InTurn = <T>(bytes: number, work: (pause: Pause) => Promise<T>) => Promise<T>;

/** So long the event loop may be held in one go. */
const TURN_MS = 10;
/** The work for a smaller body is over within a turn. */
const SMALL_BYTES = 64 * 1024;

/** Long works go one after another, or the turns of many would add up; short ones wait for none of them. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();

  return (bytes, work) => {
    if (bytes <= SMALL_BYTES) return work(createPause());
    const mine = last.then(async () => {
      await nextTurn();
      return work(createPause());
    });
    last = mine.catch(() => {});
    return mine;
  };
}

export function createPause(): Pause {
  let endsAt = performance.now() + TURN_MS;

  return () => {
    if (performance.now() < endsAt) return undefined;
    return nextTurn().then(() => {
      endsAt = performance.now() + TURN_MS;
    });
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
