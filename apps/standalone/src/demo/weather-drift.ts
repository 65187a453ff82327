import { kolmogorovSmirnov } from './kolmogorov-smirnov.js';
import { populationStability } from './population-stability.js';
import { pairSeasons, type SeasonPair } from './season-pairs.js';
import type { Day, Variable } from './weather.js';

/** A drift event as it is posted, and what drifted in a person's words. */
export type WeatherDrift = { title: string; body: ReturnType<typeof describe> };

type Compared = SeasonPair & { psi: number; statistic: number; pValue: number };

const MODERATE_PSI = 0.1;
const MAJOR_PSI = 0.25;
/** Of the 32 comparisons, less than one should pass this by chance. */
const SIGNIFICANT_P = 0.01;

/** Wind without a unit: its package says km/h where its source says m/s. */
const NAMES = {
  temp_max: { eventType: 'drift.data.temperature.high', unit: ' °C' },
  temp_min: { eventType: 'drift.data.temperature.low', unit: ' °C' },
  precipitation: { eventType: 'drift.data.precipitation', unit: ' mm' },
  wind: { eventType: 'drift.data.wind', unit: '' },
} satisfies Record<Variable, { eventType: string; unit: string }>;

/** What has drifted, the worst first: a shift both large enough to matter and too large for chance. */
export function findDrift(days: Day[]): WeatherDrift[] {
  return pairSeasons(days)
    .map(compare)
    .filter(({ psi, pValue }) => psi >= MODERATE_PSI && pValue < SIGNIFICANT_P)
    .toSorted((a, b) => b.psi - a.psi)
    .map((compared) => ({ title: writeTitle(compared), body: describe(compared) }));
}

/** Half at a major shift, full at twice that. */
export function severityOf(psi: number): number {
  return Math.min(1, psi / (2 * MAJOR_PSI));
}

function compare(pair: SeasonPair): Compared {
  const { baseline, current } = pair;
  return {
    ...pair,
    psi: populationStability(baseline.values, current.values),
    ...kolmogorovSmirnov(baseline.values, current.values),
  };
}

function writeTitle({ location, season, variable, baseline, current }: Compared): string {
  const [before, now] = [baseline, current].map(({ values }) => mean(values).toFixed(1));
  return `${location} ${season} ${before} → ${now}${NAMES[variable].unit}`;
}

function describe(compared: Compared) {
  const { location, season, variable, current } = compared;
  const { eventType, unit } = NAMES[variable];
  return {
    event_type: eventType,
    occurred_at: `${current.end}T00:00:00Z`,
    data: {
      drift_type: 'DATA_DISTRIBUTION',
      dataset: 'vega-datasets/weather.csv',
      location,
      season,
      variable,
      unit: unit.trim(),
      ...describeShift(compared),
      ...describeWindows(compared),
    },
  };
}

function describeShift({ baseline, current, psi, statistic, pValue }: Compared) {
  const [before, now] = [mean(baseline.values), mean(current.values)];
  return {
    baseline_value: round(before),
    current_value: round(now),
    delta_value: round(now - before),
    severity: round(severityOf(psi)),
    confidence: round(1 - pValue),
    psi: round(psi),
    ks_statistic: round(statistic),
    p_value: pValue,
  };
}

function describeWindows({ baseline, current }: Compared) {
  return {
    baseline_start: baseline.start,
    baseline_end: baseline.end,
    baseline_size: baseline.values.length,
    current_start: current.start,
    current_end: current.end,
    current_size: current.values.length,
  };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
