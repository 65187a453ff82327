import { setTimeout as pause } from 'node:timers/promises';
import { type Call, type Posted, postOne } from './load.js';

export type Pace = { perSecond: number; seconds: number; progress?: (done: number, all: number) => void };

/** Acts at even distances, whether or not what it did before is over. */
export async function atPace<T>({ perSecond, seconds, progress }: Pace, act: (n: number) => Promise<T>): Promise<T[]> {
  const count = Math.round(perSecond * seconds);
  const startedAt = performance.now();
  const acting: Promise<T>[] = [];
  while (acting.length < count) {
    const early = startedAt + (acting.length * 1_000) / perSecond - performance.now();
    if (early > 0) await pause(early);
    const one = act(acting.length);
    // What fails is told below; until then it would count as told to nobody, and end this process.
    one.catch(() => {});
    acting.push(one);
    progress?.(acting.length, count);
  }
  return Promise.all(acting);
}

/** Events of these customers in turn. */
export function postSteadily(call: Call, customerIds: readonly string[], pace: Pace): Promise<Posted[]> {
  return atPace(pace, (n) => postOne(call, customerIds[n % customerIds.length] ?? '', n));
}
