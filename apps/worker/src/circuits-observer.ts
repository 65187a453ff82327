import type { Log } from '@driftwire/runtime';
import { Counter, type Registry } from 'prom-client';
import type { CircuitsObserver } from './circuits.js';

export function createCircuitsObserver(log: Log, registry: Registry): CircuitsObserver {
  const registers = [registry];
  const changes = new Counter({
    name: 'driftwire_circuit_changes_total',
    help: 'Circuits that this worker has opened, because an endpoint kept failing, or closed, because it answers again.',
    labelNames: ['to'],
    registers,
  });
  const probes = new Counter({
    name: 'driftwire_probes_total',
    help: 'Deliveries sent to ask whether an endpoint answers again.',
    registers,
  });
  return {
    opened({ endpointId, customerId, failures, forMs }) {
      changes.inc({ to: 'open' });
      log.info(
        { endpoint_id: endpointId, customer_id: customerId, failures, failing_for_ms: Math.round(forMs) },
        'circuit.opened: the endpoint keeps failing, and its deliveries wait',
      );
    },
    probed({ endpointId, deliveryId }) {
      probes.inc();
      log.info({ endpoint_id: endpointId, delivery_id: deliveryId }, 'circuit.probed');
    },
    closed({ endpoint, customerId, deliveryId }) {
      changes.inc({ to: 'closed' });
      log.info(
        { endpoint_id: endpoint.id, customer_id: customerId, delivery_id: deliveryId },
        'circuit.closed: the endpoint answers again',
      );
    },
    failed: (endpointId, error) => log.warn({ endpoint_id: endpointId, err: error }, 'circuit.not_changed'),
  };
}
