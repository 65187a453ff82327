import { strike } from '../../stack/process-keeper.js';
import type { EndpointName } from '../endpoints.js';
import type { Reply } from '../reply-plan.js';
import { type Arena, type Inject, Missed, type Strike } from './arena.js';
import {
  circuitOpens,
  closedCircuit,
  comes,
  deliveriesAreHeld,
  deliveriesAreLetGo,
  type Moment,
  probeIsOut,
} from './moments.js';
import { victim } from './victim.js';

type Outage = { name: EndpointName; reply: Reply };

export const FAILS: Reply = { kind: 'answer', status: 500 };

/** With the receiver out until the act is over, however it ends. */
export async function whileOut(arena: Arena, { name, reply }: Outage, act: () => Promise<void>): Promise<void> {
  const mend = arena.receivers.putOut(name, reply);
  try {
    await act();
  } finally {
    mend();
  }
}

function killAt(begin: () => Moment, missed: string): Inject {
  return (context) => killWhen(context, begin(), missed);
}

/** An outage of its own brings it about: of a receiver that answers so far. */
const killWhileOpening: Inject = async (context) => {
  const { stack } = context.arena;
  const name = await closedCircuit(stack.databaseUrl, ['frail', 'flaky'], context.signal);
  if (name === undefined) throw new Missed('all circuits were open');
  await whileOut(context.arena, { name, reply: FAILS }, () => killWhen(context, circuitOpens(), 'no circuit opened'));
};

/** A probe that hangs is out for long enough to be seen. */
const killWhileProbing: Inject = (context) =>
  whileOut(context.arena, { name: 'frail', reply: { kind: 'hang' } }, () =>
    killWhen(context, probeIsOut(), 'no probe was sent'),
  );

/** One of the workers, whichever: that it is the one at work is as likely as with any other. */
async function killWhen({ arena, fault, struck, signal }: Strike, moment: Moment, missed: string): Promise<void> {
  if (!(await comes(arena.stack.databaseUrl, moment, signal))) throw new Missed(missed);
  strike(victim(arena.stack.workers, fault.pick), 'SIGKILL', 'kill');
  struck();
}

export const FLOW_FAULTS = {
  'worker-kill-while-holding': killAt(deliveriesAreHeld, 'nothing was held'),
  'worker-kill-while-releasing': killAt(deliveriesAreLetGo, 'nothing was let go'),
  'worker-kill-while-opening': killWhileOpening,
  'worker-kill-while-probing': killWhileProbing,
};
