import type { Log } from '@driftwire/runtime';
import { Counter, type Registry } from 'prom-client';

export type ParkingObserver = {
  letGo: (count: number) => void;
  ended: (day: string, deliveryIds: readonly string[]) => void;
};

export function createParkingObserver(log: Log, registry: Registry): ParkingObserver {
  const parked = new Counter({
    name: 'driftwire_parked_deliveries_total',
    help: 'Deliveries parked for a secret that could not be opened, by what became of them: let_go, or given_up with their day.',
    labelNames: ['became'],
    registers: [registry],
  });
  return {
    letGo: (count) => {
      parked.inc({ became: 'let_go' }, count);
      log.info({ count }, 'deliveries.let_go');
    },
    ended: (day, deliveryIds) => {
      parked.inc({ became: 'given_up' }, deliveryIds.length);
      log.error(
        { day, count: deliveryIds.length, delivery_ids: deliveryIds },
        'deliveries.given_up: their secret could not be opened, and their day is past its retention',
      );
    },
  };
}
