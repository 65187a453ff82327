import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRfc3339 } from './instant.js';

test.each([
  '2026-01-31T00:00:00Z',
  '2026-01-31t00:00:00z',
  '2026-01-31T23:59:59.999999999+14:00',
  '2026-01-31T00:00:00-00:00',
  '2024-02-29T12:00:00Z',
  '2000-02-29T12:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59-15:59',
])('%s is an instant', (text) => {
  expect(isRfc3339(text)).toBe(true);
});

test.each([
  ['no offset', '2026-01-31T00:00:00'],
  ['no time', '2026-01-31'],
  ['no seconds', '2026-01-31T00:00Z'],
  ['a space for the T', '2026-01-31 00:00:00Z'],
  ['an empty fraction', '2026-01-31T00:00:00.Z'],
  ['ten digits of a second', '2026-01-31T00:00:00.0123456789Z'],
  ['30 February', '2026-02-30T00:00:00Z'],
  ['29 February of a common year', '2026-02-29T00:00:00Z'],
  ['29 February 1900', '1900-02-29T00:00:00Z'],
  ['31 April', '2026-04-31T00:00:00Z'],
  ['month 13', '2026-13-01T00:00:00Z'],
  ['month 00', '2026-00-01T00:00:00Z'],
  ['day 00', '2026-01-00T00:00:00Z'],
  ['year 0000', '0000-01-01T00:00:00Z'],
  ['hour 24', '2026-01-31T24:00:00Z'],
  ['minute 60', '2026-01-31T00:60:00Z'],
  ['a leap second', '2016-12-31T23:59:60Z'],
  ['an offset without colon', '2026-01-31T00:00:00+0100'],
  ['an offset beyond any clock', '2026-01-31T00:00:00+16:00'],
  ['an offset minute of 60', '2026-01-31T00:00:00+01:60'],
  ['a zone name', '2026-01-31T00:00:00 CET'],
  ['a line break', '2026-01-31T00:00:00Z\n'],
  ['a number', '1769817600'],
  ['nothing', ''],
])('%s is none', (_, text) => {
  expect(isRfc3339(text)).toBe(false);
});

test('every instant a Date can write is one, and every accepted one is readable by Date', () => {
  const dates = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(dates, (date) => {
      expect(isRfc3339(date.toISOString())).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z$/), (text) => {
      const readsBack =
        Number.isFinite(Date.parse(text)) && new Date(text).toISOString().slice(0, 19) === text.slice(0, 19);
      expect(isRfc3339(text)).toBe(readsBack);
    }),
  );
});
