import { collectDefaultMetrics, Registry } from 'prom-client';
import { measureLoopDelay } from './loop-delay.js';

/** So long, in milliseconds, that prom-client's own measuring of the event loop never wakes the process. */
const NEVER_MS = 2 ** 31 - 1;
const OWN_LOOP_DELAY = /^nodejs_eventloop_lag_\w+_seconds$/;

/** A registry with the process's own metrics (CPU, memory, event loop); what a service counts, it adds itself. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const { name } of registry.getMetricsAsArray()) {
    if (OWN_LOOP_DELAY.test(name)) registry.removeSingleMetric(name);
  }
  measureLoopDelay(registry);
  return registry;
}
