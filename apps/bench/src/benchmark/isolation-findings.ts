import type { Percentiles } from './quantiles.js';

/** How healthy customers fared beside something, from the request to the arrival. What did not arrive took for ever. */
export type BesideRow = {
  title: string;
  alone: Percentiles;
  beside: Percentiles;
  arrived: number;
  expected: number;
  limit: { text: string; p99Ms: number };
};

/** Something else that was counted or timed, and how much it may be. */
export type Figure = { scene: string; what: string; value: number; unit: string; most?: number };

export type Findings = { rows: BesideRow[]; figures: Figure[] };

export type Limit = { text: string; p99Ms: (alone: Percentiles) => number };

export const AS_IF_NOTHING: Limit = {
  text: 'p99 2 ×, or 50 ms more',
  p99Ms: ({ p99 }) => Math.max(2 * p99, p99 + 50),
};

export const HALF_A_SECOND: Limit = { text: 'p99 500 ms', p99Ms: () => 500 };
