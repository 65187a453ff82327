import { setTimeout as pause } from 'node:timers/promises';
import type { Reply } from '../reply-plan.js';
import type { Inject } from './arena.js';

/** For a while, every receiver but the steady one does this to every request. */
function troubleWith(reply: Reply): Inject {
  return async ({ arena, fault, struck, signal }) => {
    arena.receivers.trouble(reply);
    struck();
    try {
      await pause(fault.durationMs, undefined, { signal });
    } finally {
      arena.receivers.trouble(null);
    }
  };
}

export const RECEIVER_FAULTS = {
  'receivers-fail': troubleWith({ kind: 'answer', status: 500 }),
  'receivers-hang': troubleWith({ kind: 'hang' }),
  'receivers-reset': troubleWith({ kind: 'reset' }),
  'receivers-drip': troubleWith({ kind: 'drip' }),
};
