import { createLog, createMetrics } from '@driftwire/runtime';
import { expect, test } from '@jest/globals';
import { createDeliveryObserver } from './delivery-observer.js';

const JOB = { deliveryId: '019a0000-0000-7000-8000-000000000001', generation: 1 };

test.each([
  ['a bug', new TypeError('x is not a function'), 'bug', 'error'],
  ['Postgres away', new Error('Connection terminated unexpectedly'), 'postgres_unavailable', 'warn'],
])('%s that interrupts a delivery is counted and logged as what it is', async (_, error, reason, level) => {
  const registry = createMetrics('test');
  const log = createLog({ service: 'test', level: 'silent' });
  const said: string[] = [];
  log.error = () => said.push('error');
  log.warn = () => said.push('warn');
  createDeliveryObserver(log, registry).interrupted(JOB, error);
  expect(said).toEqual([level]);
  expect(await registry.metrics()).toMatch(
    new RegExp(`driftwire_deliveries_interrupted_total\\{.*reason="${reason}".*\\} 1`),
  );
});
