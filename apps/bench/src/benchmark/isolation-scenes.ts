import { AS_IF_NOTHING, HALF_A_SECOND, type Limit } from './isolation-findings.js';

/** `minutes`: how long it takes, about. */
type Scene = { name: string; title: string; minutes: number };

/** Receivers that crawl, hang or get a flood, beside customers of others. */
export type BesideScene = Scene & {
  healthy: number;
  bad: number;
  /** Of the bad ones. Infinity: they never answer. */
  delayMs: number;
  /** Events at once for all of the bad ones together, and then so many a second. */
  flood: number;
  tricklePerSecond: number;
  /** When the others are measured, since it began. */
  fromS: number;
  limit: Limit;
};

const ONE = { healthy: 10, bad: 1, tricklePerSecond: 0, fromS: 0, minutes: 2 };
const NEVER = { delayMs: Number.POSITIVE_INFINITY, limit: AS_IF_NOTHING };

export const BESIDE_SCENES: readonly BesideScene[] = [
  {
    ...ONE,
    name: 'slow',
    title: '10,000 for one that takes 300 ms',
    flood: 10_000,
    delayMs: 300,
    limit: AS_IF_NOTHING,
  },
  {
    ...ONE,
    name: 'fast',
    title: '20,000 for one that answers at once',
    flood: 20_000,
    delayMs: 0,
    limit: HALF_A_SECOND,
  },
  { ...ONE, ...NEVER, name: 'hanging', title: '3,000 for one that never answers', flood: 3_000 },
  { ...ONE, ...NEVER, name: 'thirty', title: '3,000 for thirty that never answer', flood: 3_000, bad: 30 },
  {
    ...ONE,
    ...NEVER,
    name: 'trickle',
    title: '3 events/s for one that never answers',
    flood: 0,
    tricklePerSecond: 3,
    fromS: 120,
    minutes: 4,
  },
  {
    ...NEVER,
    name: 'hundred',
    title: 'a hundred of a thousand that never answer',
    healthy: 900,
    bad: 100,
    flood: 3_000,
    tricklePerSecond: 10,
    fromS: 60,
    minutes: 3,
  },
];

/** More than limits allow, at once. */
export const LIMITED: Scene = { name: 'limited', title: '2,000 for two with limits', minutes: 2 };

/** A receiver that is down for longer than three attempts last. */
export const OUTAGE: Scene = { name: 'outage', title: 'away for thirty retry delays', minutes: 3 };

export type RedisAwayScene = Scene & {
  awayS: number;
  /** Events meanwhile: in batches, and single ones. */
  flood: number;
  perSecond: number;
  /** In the middle of it. */
  apiIsKilled: boolean;
};

export const REDIS_AWAY_SCENES: readonly RedisAwayScene[] = [
  {
    name: 'redis',
    title: 'Redis away for five minutes',
    awayS: 300,
    flood: 0,
    perSecond: 1,
    apiIsKilled: true,
    minutes: 6,
  },
  {
    name: 'redis-flood',
    title: '20,000 while Redis is away',
    awayS: 30,
    flood: 20_000,
    perSecond: 0,
    apiIsKilled: false,
    minutes: 2,
  },
];

export const MILLION_HELD: Scene = { name: 'million', title: 'a million held', minutes: 4 };

/** All there are, in this order. */
export const ISOLATION_SCENES: readonly Scene[] = [
  ...BESIDE_SCENES,
  LIMITED,
  OUTAGE,
  ...REDIS_AWAY_SCENES,
  MILLION_HELD,
];
