import { setTimeout as pause } from 'node:timers/promises';
import { pickFrom } from '../chance.js';
import type { EndpointName } from '../endpoints.js';
import type { Reply } from '../reply-plan.js';
import type { Inject } from './arena.js';
import { FAILS, whileOut } from './flow-faults.js';

/** For a while, every receiver but those that always answer does this to every request. */
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

const MAY_BE_OUT: readonly EndpointName[] = ['flaky', 'busy', 'paced'];
const OUT: readonly Reply[] = [FAILS, { kind: 'hang' }, { kind: 'reset' }];

/** One receiver, for longer than all attempts of a delivery take: without circuits its deliveries would end `failed`. */
const out: Inject = ({ arena, fault, chance, struck, signal }) => {
  const name = pickFrom(chance, MAY_BE_OUT) ?? 'flaky';
  const reply = pickFrom(chance, OUT) ?? FAILS;
  return whileOut(arena, { name, reply }, async () => {
    struck();
    await pause(fault.durationMs, undefined, { signal });
  });
};

export const RECEIVER_FAULTS = {
  'receiver-out': out,
  'receivers-fail': troubleWith(FAILS),
  'receivers-hang': troubleWith({ kind: 'hang' }),
  'receivers-reset': troubleWith({ kind: 'reset' }),
  'receivers-drip': troubleWith({ kind: 'drip' }),
};
