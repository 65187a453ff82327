import { until } from '@driftwire/local-servers';
import { type Keeper, strike } from '../../stack/process-keeper.js';
import { type Inject, Missed, type Strike } from './arena.js';
import { victim } from './victim.js';

type Choose = (strike: Strike) => readonly Keeper[];

const STOPPED_WITHIN_MS = 40_000;

export function killOne(choose: Choose): Inject {
  return async (context) => {
    strike(victim(choose(context), context.fault.pick), 'SIGKILL', 'kill');
    context.struck();
  };
}

/** Over when it has exited; the keeper's record says how. */
export function stopOne(choose: Choose): Inject {
  return async (context) => {
    const keeper = victim(choose(context), context.fault.pick);
    const { child } = keeper;
    strike(keeper, 'SIGTERM', 'stop');
    context.struck();
    const { signal } = context;
    if (await until(() => keeper.child !== child, { deadlineMs: STOPPED_WITHIN_MS, signal })) return;
    signal.throwIfAborted();
    throw new Missed(`${keeper.program.name} did not stop within ${STOPPED_WITHIN_MS / 1_000} s`);
  };
}
