/**
 * The receivers' endpoints, and what each subscribes to. Every event but the poison also goes to `steady`. `slow` takes its
 * time, so that there is always something in flight.
 */
export const SUBSCRIPTIONS = {
  steady: ['drift.*'],
  slow: ['drift.calm', 'drift.calm.*'],
  flaky: ['drift.flaky'],
  broken: ['drift.broken'],
  gone: ['drift.calm.gone'],
  paused: ['drift.calm.paused'],
  poison: ['poison.drift'],
} as const;

export type EndpointName = keyof typeof SUBSCRIPTIONS;

export const POISON_TYPE = 'poison.drift';

/** Endpoints that answer 200 to everything, whatever happens to the others. Recovery is measured by them. */
export const STEADY_ENDPOINTS: readonly EndpointName[] = ['steady', 'slow'];
