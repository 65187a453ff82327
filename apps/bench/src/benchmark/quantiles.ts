/** The smallest value that at least this share of all values does not exceed; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export type Percentiles = { p50: number; p95: number; p99: number };

export function percentilesOf(values: readonly number[]): Percentiles {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

const OUTSIDE = 0.025;

/**
 * The 95 % confidence interval of the median, whatever the distribution: from one value as far from the lower end as the other is from
 * the upper, by the sign test (Conover, Practical Nonparametric Statistics, 3.2). Undefined for fewer than six values.
 */
export function medianInterval(values: readonly number[]): { from: number; to: number } | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  // How likely it is that so few of all values lie below the median, or fewer.
  let probability = 0.5 ** sorted.length;
  let likelihood = probability;
  let below = 0;
  while (likelihood <= OUTSIDE) {
    below += 1;
    probability *= (sorted.length - below + 1) / below;
    likelihood += probability;
  }
  const [from, to] = [sorted[below - 1], sorted[sorted.length - below]];
  return from === undefined || to === undefined ? undefined : { from, to };
}
