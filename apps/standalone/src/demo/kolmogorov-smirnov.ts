/** `pValue`: how likely samples that differ this much would be if nothing had changed. */
export type Comparison = { statistic: number; pValue: number };

/**
 * The two-sample Kolmogorov-Smirnov test: the largest gap between the two samples' distribution functions, and its p-value
 * by Stephens' approximation for samples that are not small. It takes the values for independent; days in a row are not
 * quite, so for weather it is on the confident side.
 */
export function kolmogorovSmirnov(one: number[], other: number[]): Comparison {
  const statistic = largestGap(one, other);
  const root = Math.sqrt((one.length * other.length) / (one.length + other.length));
  return { statistic, pValue: kolmogorovTail((root + 0.12 + 0.11 / root) * statistic) };
}

/** The share of Kolmogorov's distribution above `x`. */
export function kolmogorovTail(x: number): number {
  // Below this it is 1 to ten digits, where the series would need ever more terms.
  if (x < 0.2) return 1;
  let tail = 0;
  for (let k = 1; k <= 100; k++) tail += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, tail));
}

function largestGap(one: number[], other: number[]): number {
  const gaps = [...one, ...other].map((value) => Math.abs(shareUpTo(one, value) - shareUpTo(other, value)));
  return Math.max(...gaps);
}

function shareUpTo(values: number[], limit: number): number {
  return values.filter((value) => value <= limit).length / values.length;
}
