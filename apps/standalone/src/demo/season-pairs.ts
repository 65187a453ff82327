import { type Day, VARIABLES, type Variable } from './weather.js';

export type Sample = { values: number[]; start: string; end: string };
export type SeasonPair = { location: string; season: string; variable: Variable; baseline: Sample; current: Sample };

/** The last whole meteorological year of the data, against all that came before it. */
const CURRENT = { start: '2014-12-01', end: '2015-11-30' };

const SEASONS = {
  winter: ['12', '01', '02'],
  spring: ['03', '04', '05'],
  summer: ['06', '07', '08'],
  autumn: ['09', '10', '11'],
};

/** Each season with its like, place by place and variable by variable. */
export function pairSeasons(days: Day[]): SeasonPair[] {
  const locations = [...new Set(days.map(({ location }) => location))];
  return locations.flatMap((location) =>
    Object.entries(SEASONS).flatMap(([season, months]) => {
      const alike = days.filter((day) => day.location === location && months.includes(day.date.slice(5, 7)));
      return VARIABLES.map((variable) => ({ location, season, variable, ...splitSample(alike, variable) }));
    }),
  );
}

function splitSample(days: Day[], variable: Variable): { baseline: Sample; current: Sample } {
  return {
    baseline: sampleOf(
      days.filter(({ date }) => date < CURRENT.start),
      variable,
    ),
    current: sampleOf(
      days.filter(({ date }) => date >= CURRENT.start && date <= CURRENT.end),
      variable,
    ),
  };
}

function sampleOf(days: Day[], variable: Variable): Sample {
  const values = days.map((day) => day[variable]);
  return { values, start: days.at(0)?.date ?? '', end: days.at(-1)?.date ?? '' };
}
