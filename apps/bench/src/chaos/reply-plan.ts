import { between, type Chance, chanceOf, pickFrom } from './chance.js';
import type { EndpointName } from './endpoints.js';

/**
 * What a receiver does with a request. `drip` sends its head byte by byte and never to the end; `reset-in-body` answers
 * 200 and then breaks off; `kill-sender` kills the worker that asks.
 */
export type Reply =
  | { kind: 'answer'; status: number; retryAfterS?: number; afterMs?: number }
  | { kind: 'hang' | 'reset' | 'drip' | 'reset-in-body' | 'kill-sender' };

/** `nth`: which request for this delivery it is, from 1. */
export type Asked = { endpoint: EndpointName; n: number; nth: number };

/** Of what goes to `flaky`, so much is never taken, and so much more not at once. */
const REFUSED_SHARE = 0.1;
const RELUCTANT_SHARE = 0.5;
const MOODS: readonly Reply[] = [
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 503, retryAfterS: 1 },
  { kind: 'hang' },
  { kind: 'reset' },
  { kind: 'drip' },
  { kind: 'reset-in-body' },
];
const OK = { kind: 'answer', status: 200 } as const;
const SLOW_MS = 300;
const BUSY_MS = 200;

/** The same question always gets the same reply, so a seed repeats a run. */
export function planReply(seed: number, asked: Asked): Reply {
  switch (asked.endpoint) {
    case 'steady':
    case 'frail':
    case 'paced':
    case 'broken':
      return OK;
    case 'slow':
      return { ...OK, afterMs: SLOW_MS };
    case 'flaky':
      return flakyReply(seed, asked);
    case 'busy':
      return { ...OK, afterMs: BUSY_MS };
    case 'gone':
      return { kind: 'answer', status: 410 };
    case 'paused':
      // Retries that wait when the endpoint is paused: those are cancelled.
      return { kind: 'answer', status: 503, retryAfterS: 5 };
    case 'poison':
      return { kind: 'kill-sender' };
  }
}

/** Fails once or twice, each time in its own way, and then gives in; or never does. */
function flakyReply(seed: number, { n, nth }: Asked): Reply {
  if (nth > failuresOf(chanceOf(seed, 'flaky', n))) return OK;
  return pickFrom(chanceOf(seed, 'mood', n, nth), MOODS) ?? OK;
}

function failuresOf(chance: Chance): number {
  const draw = chance();
  if (draw < REFUSED_SHARE) return Number.POSITIVE_INFINITY;
  return draw < REFUSED_SHARE + RELUCTANT_SHARE ? between(chance, 1, 2) : 0;
}
