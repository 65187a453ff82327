import { between, chanceOf, pickFrom } from './chance.js';
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

const FLAKY_SHARE = 0.6;
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

/** The same question always gets the same reply, so a seed repeats a run. */
export function planReply(seed: number, asked: Asked): Reply {
  switch (asked.endpoint) {
    case 'steady':
      return OK;
    case 'slow':
      return { ...OK, afterMs: SLOW_MS };
    case 'flaky':
      return flakyReply(seed, asked);
    case 'broken':
      return { kind: 'answer', status: 500 };
    case 'gone':
      return { kind: 'answer', status: 410 };
    case 'paused':
      // Retries that wait when the endpoint is paused: those are cancelled.
      return { kind: 'answer', status: 503, retryAfterS: 5 };
    case 'poison':
      return { kind: 'kill-sender' };
  }
}

/** Fails once or twice, each time in its own way, and then gives in. */
function flakyReply(seed: number, { n, nth }: Asked): Reply {
  const chance = chanceOf(seed, 'flaky', n);
  const failures = chance() < FLAKY_SHARE ? between(chance, 1, 2) : 0;
  if (nth > failures) return OK;
  return pickFrom(chanceOf(seed, 'mood', n, nth), MOODS) ?? OK;
}
