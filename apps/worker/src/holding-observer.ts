import type { HoldReason } from '@driftwire/database';
import type { Log } from '@driftwire/runtime';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { HoldingObserver } from './holding.js';

export type HeldGauge = { counted: (held: readonly { reason: HoldReason; count: number }[]) => void };

export function createHoldingObserver(log: Log, registry: Registry): HoldingObserver & HeldGauge {
  const registers = [registry];
  const held = new Counter({
    name: 'driftwire_deliveries_held_total',
    help: 'Deliveries that a worker has held in Postgres, by why. What is held when it is accepted is not counted here.',
    labelNames: ['reason'],
    registers,
  });
  const released = new Counter({
    name: 'driftwire_deliveries_released_total',
    help: 'Held deliveries that this worker has let go.',
    registers,
  });
  const ended = new Counter({
    name: 'driftwire_held_ended_total',
    help: 'Deliveries that ended while they were held: expired after HOLD_MAX_HOURS, or their endpoint takes none any more.',
    labelNames: ['reason'],
    registers,
  });
  const waiting = new Gauge({
    name: 'driftwire_deliveries_held',
    help: 'Deliveries that are held, by why, counted up to 10,000. All workers see the same.',
    labelNames: ['reason'],
    registers,
  });
  const open = new Gauge({
    name: 'driftwire_circuits_open',
    help: 'Endpoints with an open circuit and deliveries that wait for it. All workers see the same.',
    registers,
  });
  return {
    looked: (endpoints) => open.set(endpoints.filter(({ circuitIsOpen }) => circuitIsOpen).length),
    counted(held) {
      waiting.reset();
      for (const { reason, count } of held) waiting.set({ reason }, count);
    },
    held({ deliveryId, endpointId, reason }) {
      held.inc({ reason });
      log.debug({ delivery_id: deliveryId, endpoint_id: endpointId, reason }, 'delivery.held');
    },
    notHeld: ({ deliveryId, endpointId }, error) =>
      log.warn({ delivery_id: deliveryId, endpoint_id: endpointId, err: error }, 'delivery.not_held'),
    released: (count) => released.inc(count),
    ended(endpointId, { reason, count }) {
      ended.inc({ reason }, count);
      log[reason === 'expired' ? 'warn' : 'info']({ endpoint_id: endpointId, reason, count }, 'held.ended');
    },
    failed: (error) => log.warn({ err: error }, 'held.not_released: the next look does'),
  };
}
