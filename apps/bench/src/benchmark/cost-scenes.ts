/** `must` and `aim`: what it should come to, as processor time a delivery over that of a bare got request. */
export type FloodScene = {
  name: string;
  title: string;
  endpoints: number;
  events: number;
  perRequest: number;
  requestsAtOnce: number;
  goal?: Goal;
};

export type Goal = { must: number; aim: number };

export const FLOOD_SCENES: readonly FloodScene[] = [
  { name: 'callers-8', title: '1 endpoint, 8 callers', ...singles(2_000, { endpoints: 1, callers: 8 }) },
  {
    name: 'callers-32',
    title: '1 endpoint, 32 callers',
    ...singles(3_000, { endpoints: 1, callers: 32 }),
    goal: { must: 2.3, aim: 2 },
  },
  { name: 'callers-128', title: '1 endpoint, 128 callers', ...singles(3_000, { endpoints: 1, callers: 128 }) },
  {
    name: 'endpoints-10',
    title: '10 endpoints, 32 callers',
    ...singles(600, { endpoints: 10, callers: 32 }),
    goal: { must: 1.6, aim: 1.2 },
  },
  {
    name: 'batches-500',
    title: '1 endpoint, batches of 500',
    endpoints: 1,
    events: 5_000,
    perRequest: 500,
    requestsAtOnce: 4,
    goal: { must: 1.75, aim: 1.5 },
  },
];

/** Single events at a fixed rate, as when there is next to nothing to do. */
export const REST = {
  name: 'rest',
  title: '1 endpoint, 50 events/s',
  eventsPerSecond: 50,
  goal: { p50: { must: 6, aim: 4 }, p99: { must: 12, aim: 8 } },
} as const;

/** What Driftwire takes by being there. */
export const IDLE = {
  name: 'idle',
  goal: { memoryMiB: { must: 450, aim: 350 }, cpuPercent: { must: 1.5, aim: 0.6 } },
} as const;

/** Of all that can be measured, in this order. */
export const COST_SCENES: readonly string[] = [IDLE.name, ...FLOOD_SCENES.map(({ name }) => name), REST.name];

function singles(events: number, { endpoints, callers }: { endpoints: number; callers: number }) {
  return { endpoints, events, perRequest: 1, requestsAtOnce: callers };
}
