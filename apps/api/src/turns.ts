import { setTimeout as delay } from 'node:timers/promises';
import { oneAtATime } from '@driftwire/runtime';

/** Awaited between steps of long work: at once while a turn lasts, and after it, when everything else that waited has gone on. */
export type Pause = () => Promise<void> | undefined;

export type Turns = {
  /**
   * Work that may take long, for a body of so many bytes: long works go one after another, or the turns of many would add up; short ones
   * wait for none of them.
   */
  inTurn: <T>(bytes: number, work: (pause: Pause) => Promise<T>) => Promise<T>;
  /** A request that is answered soon: between their turns long works wait for it, a little. */
  first: <T>(work: () => Promise<T>) => Promise<T>;
};

/** So long the event loop may be held in one go. */
const TURN_MS = 5;
/** The work for a smaller body is over soon; thirty larger ones at once would hold up everybody. */
const SMALL_BYTES = 16 * 1024;
/** Where short ones never end, long ones get a fifth of the time. */
const PATIENCE_MS = 20;
/** Where short ones came so lately, more of them will: long ones leave them half of the processor's time, whoever uses it. */
export const RECENT_MS = 100;
const REST_MS = TURN_MS;

export function createTurns(): Turns {
  const afterTheLongOnes = oneAtATime();
  let underWay = 0;
  let lastShortAt = Number.NEGATIVE_INFINITY;
  let waiting: (() => void)[] = [];

  async function nextTurn(): Promise<void> {
    const hasShort = performance.now() - lastShortAt < RECENT_MS;
    await (hasShort ? delay(REST_MS) : new Promise(setImmediate));
    if (underWay === 0) return;
    await new Promise<void>((resolve) => {
      const tired = setTimeout(resolve, PATIENCE_MS);
      waiting.push(() => {
        clearTimeout(tired);
        resolve();
      });
    });
  }

  function goOn(): void {
    const waited = waiting;
    waiting = [];
    for (const resolve of waited) resolve();
  }

  return {
    inTurn(bytes, work) {
      if (bytes <= SMALL_BYTES) return work(createPause(nextTurn));
      return afterTheLongOnes(async () => {
        await nextTurn();
        return work(createPause(nextTurn));
      });
    },
    async first(work) {
      underWay += 1;
      lastShortAt = performance.now();
      return work().finally(() => {
        underWay -= 1;
        if (underWay === 0) goOn();
      });
    },
  };
}

export function createPause(nextTurn: () => Promise<void>): Pause {
  let endsAt = performance.now() + TURN_MS;

  return () => {
    if (performance.now() < endsAt) return undefined;
    return nextTurn().then(() => {
      endsAt = performance.now() + TURN_MS;
    });
  };
}
