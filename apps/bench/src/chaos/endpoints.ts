/**
 * The receivers' endpoints, and what each subscribes to. Every event but the poison also goes to `steady`. `slow` takes its
 * time, so that there is always something in flight. `frail` would answer 200, but is hit by whatever is done to receivers.
 * `broken` fails until all faults are over, so that every run has a circuit that opens.
 */
export const SUBSCRIPTIONS = {
  steady: ['drift.*'],
  slow: ['drift.calm', 'drift.calm.*'],
  frail: ['drift.calm'],
  flaky: ['drift.flaky'],
  busy: ['drift.limited'],
  paced: ['drift.limited'],
  broken: ['drift.broken'],
  gone: ['drift.calm.gone'],
  paused: ['drift.calm.paused'],
  poison: ['poison.drift'],
} as const;

export type EndpointName = keyof typeof SUBSCRIPTIONS;

export type Limits = { max_in_flight?: number; max_per_second?: number };

/** Far below what a rush of events brings (event-plan.ts). */
export const LIMITS: Partial<Record<EndpointName, Limits>> = {
  busy: { max_in_flight: 3 },
  paced: { max_per_second: 20 },
};

export const POISON_TYPE = 'poison.drift';

/** Endpoints that answer 200 to everything, whatever happens to the others. Recovery is measured by them. */
export const STEADY_ENDPOINTS: readonly EndpointName[] = ['steady', 'slow'];
