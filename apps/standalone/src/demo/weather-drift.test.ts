import { expect, test } from '@jest/globals';
import { parseWeather, readWeather } from './weather.js';
import { findDrift, severityOf } from './weather-drift.js';

const weather = readWeather();

test('the data set has every day of four years in two cities', () => {
  expect(weather).toHaveLength(2 * (366 + 3 * 365));
  expect(weather[1]).toEqual({
    location: 'Seattle',
    date: '2012-01-02',
    precipitation: 10.9,
    temp_max: 10.6,
    temp_min: 2.8,
    wind: 4.5,
  });
});

test('a line without a measurement is refused', () => {
  expect(() => parseWeather('location,date,precipitation,temp_max,temp_min,wind\nHere,2012-01-01,,1,2,3')).toThrow(
    'no weather: "Here,2012-01-01,,1,2,3"',
  );
});

test('the warm winter of 2014 to 2015 in Seattle is the largest drift', () => {
  expect(findDrift(weather)[0]).toEqual({
    title: 'Seattle winter 8.0 → 10.9 °C',
    body: {
      event_type: 'drift.data.temperature.high',
      occurred_at: '2015-02-28T00:00:00Z',
      data: expect.objectContaining({
        variable: 'temp_max',
        unit: '°C',
        baseline_value: 7.9638,
        current_value: 10.8844,
        delta_value: 2.9207,
        severity: 1,
        confidence: 1,
        baseline_start: '2012-01-01',
        baseline_end: '2014-02-28',
        baseline_size: 240,
        current_start: '2014-12-01',
        current_end: '2015-02-28',
        current_size: 90,
      }),
    },
  });
});

test('a handful of shifts of several kinds, the worst first, each large enough and beyond chance', () => {
  const events = findDrift(weather).map(({ body }) => body);
  expect(events.length).toBeGreaterThanOrEqual(6);
  expect(events.length).toBeLessThanOrEqual(12);
  expect(new Set(events.map((event) => event.event_type)).size).toBeGreaterThanOrEqual(3);
  const severities = events.map(({ data }) => data.severity);
  expect(severities).toEqual(severities.toSorted((a, b) => b - a));
  for (const { data } of events) {
    expect(data.psi).toBeGreaterThanOrEqual(0.1);
    expect(data.confidence).toBeGreaterThan(0.99);
    expect(data.severity).toBeGreaterThanOrEqual(0.2);
    expect(data.severity).toBeLessThanOrEqual(1);
  }
});

test('a shift too small to matter is no drift, however sure it is', () => {
  const days = (date: string, shift: number) =>
    Array.from({ length: 2_000 }, (_, index) => ({
      location: 'Here',
      date,
      temp_max: (index % 100) + shift,
      temp_min: 0,
      precipitation: 0,
      wind: 0,
    }));
  expect(findDrift([...days('2014-01-01', 0), ...days('2015-01-01', 6)])).toEqual([]);
  expect(findDrift([...days('2014-01-01', 0), ...days('2015-01-01', 20)])).toHaveLength(1);
});

test('years that repeat each other do not drift', () => {
  const first = weather.filter(({ date }) => date < '2013');
  const repeated = [2012, 2013, 2014, 2015].flatMap((year) =>
    first.map((day) => ({ ...day, date: `${year}${day.date.slice(4)}` })),
  );
  expect(findDrift(repeated)).toEqual([]);
});

test('a major shift is half as severe as it gets', () => {
  expect([0, 0.1, 0.25, 0.5, 3].map(severityOf)).toEqual([0, 0.2, 0.5, 1, 1]);
});
