import { expect, test } from '@jest/globals';
import { parseHttpDate } from './http-date.js';

const now = Date.parse('2026-01-31T12:00:00Z');
const example = Date.parse('1994-11-06T08:49:37Z');

test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
  'RFC 9110 §5.6.7 writes one instant as %s',
  (text) => {
    expect(parseHttpDate(text, now)).toBe(example);
  },
);

test('a two-digit year is at most 50 years ahead', () => {
  expect(parseHttpDate('Friday, 31-Jan-76 12:00:00 GMT', now)).toBe(Date.parse('2076-01-31T12:00:00Z'));
  expect(parseHttpDate('Monday, 31-Jan-77 12:00:00 GMT', now)).toBe(Date.parse('1977-01-31T12:00:00Z'));
});

test('a leap second is the second after it', () => {
  expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', now)).toBe(Date.parse('2017-01-01T00:00:00Z'));
});

test.each([
  'Sun, 31 Feb 2027 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:37 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'sun, 06 nov 1994 08:49:37 gmt',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 06 Nov 1994',
  '1994-11-06T08:49:37Z',
  'Nov 6 1994',
  '1',
])('%s is no HTTP-date', (text) => {
  expect(parseHttpDate(text, now)).toBeNull();
});
