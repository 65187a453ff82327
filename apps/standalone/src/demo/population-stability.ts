const BINS = 5;

/**
 * The population stability index (PSI) of two samples: how far the current values have moved between the bins that hold
 * equal shares of the baseline. 0 is "the same"; by convention 0.1 is a moderate and 0.25 a major shift. Five bins, because
 * with more of them about ninety values would show a moderate shift by chance alone.
 */
export function populationStability(baseline: number[], current: number[], bins = BINS): number {
  const edges = quantiles(baseline, bins);
  return stabilityOfShares(shares(baseline, edges), shares(current, edges));
}

/** PSI of two lists of shares, bin by bin; none of them may be 0. */
export function stabilityOfShares(baseline: number[], current: number[]): number {
  return baseline.reduce((sum, expected, bin) => {
    const actual = current[bin] ?? expected;
    return sum + (actual - expected) * Math.log(actual / expected);
  }, 0);
}

/** The inner edges of the bins. Equal values make equal edges (dry days, for rain), and then there are fewer bins. */
function quantiles(values: number[], bins: number): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const edges = Array.from({ length: bins - 1 }, (_, index) => quantile(sorted, (index + 1) / bins));
  return [...new Set(edges)];
}

function quantile(sorted: number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position % 1);
}

/** Half a value is added to each bin: an empty one would make the index infinite. */
function shares(values: number[], edges: number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0.5);
  for (const value of values) {
    const bin = edges.filter((edge) => edge < value).length;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count) => count / (values.length + 0.5 * counts.length));
}
