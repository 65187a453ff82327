import type { Log } from '@driftwire/runtime';
import { Counter, type Registry } from 'prom-client';
import type { HoldingObserver } from './holding.js';

export function createHoldingObserver(log: Log, registry: Registry): HoldingObserver {
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
  return {
    held({ deliveryId, endpointId, reason }) {
      held.inc({ reason });
      log.debug({ delivery_id: deliveryId, endpoint_id: endpointId, reason }, 'delivery.held');
    },
    notHeld: ({ deliveryId, endpointId }, error) =>
      log.warn({ delivery_id: deliveryId, endpoint_id: endpointId, err: error }, 'delivery.not_held'),
    released: (count) => released.inc(count),
    ended: (endpointId, count) => log.info({ endpoint_id: endpointId, count }, 'held.ended: its endpoint takes none'),
    failed: (error) => log.warn({ err: error }, 'held.not_released: the next look does'),
  };
}
