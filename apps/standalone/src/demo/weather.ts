import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const VARIABLES = ['temp_max', 'temp_min', 'precipitation', 'wind'] as const;
export type Variable = (typeof VARIABLES)[number];

/** `date` is YYYY-MM-DD, so that text order is the order in time. */
export type Day = { location: string; date: string } & Record<Variable, number>;

/** Every day of 2012 to 2015 in Seattle and New York, as NOAA measured it. */
export function readWeather(): Day[] {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  return parseWeather(readFileSync(join(dirname(entry), '../data/weather.csv'), 'utf8'));
}

export function parseWeather(csv: string): Day[] {
  const [header = '', ...lines] = csv.trim().split('\n');
  const columns = header.trim().split(',');
  return lines.map((line) => {
    const cells = line.trim().split(',');
    const cell = (column: string) => cells[columns.indexOf(column)] ?? '';
    const measured = (variable: Variable) => parseMeasurement(cell(variable), line);
    return {
      location: cell('location'),
      date: cell('date'),
      temp_max: measured('temp_max'),
      temp_min: measured('temp_min'),
      precipitation: measured('precipitation'),
      wind: measured('wind'),
    };
  });
}

function parseMeasurement(text: string, line: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new Error(`no weather: ${JSON.stringify(line)}`);
  return value;
}
