import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRetryAfter } from './retry-after.js';

const now = Date.parse('2026-01-31T12:00:00Z');
const CAP_MS = 2 ** 31 * 1000;

test.each([
  ['seconds', '120', 120_000],
  ['zero', '0', 0],
  ['seconds with spaces around', ' 120 ', 120_000],
  ['an IMF-fixdate', 'Sat, 31 Jan 2026 12:02:00 GMT', 120_000],
  ['an RFC 850 date', 'Saturday, 31-Jan-26 12:02:00 GMT', 120_000],
  ['an asctime date', 'Sat Jan 31 12:02:00 2026', 120_000],
  ['a date already past: no wait', 'Fri, 30 Jan 2026 12:00:00 GMT', 0],
  ['1e12 seconds in digits: bounded', '1000000000000', CAP_MS],
  ['400 digits: bounded', '9'.repeat(400), CAP_MS],
  ['a date of the year 9999: bounded', 'Fri, 31 Dec 9999 23:59:59 GMT', CAP_MS],
])('%s', (_, header, waitMs) => {
  expect(parseRetryAfter(header, now)).toBe(waitMs);
});

test.each([
  undefined,
  '',
  ' ',
  'NaN',
  'Infinity',
  '-1',
  '+1',
  '1.5',
  '1e12',
  '0x10',
  '120, 60',
  '120 s',
  'soon',
  '2026-01-31T12:02:00Z',
  'Sat, 31 Jan 2026 12:02:00 PST',
])('%p asks for nothing', (header) => {
  expect(parseRetryAfter(header, now)).toBeNull();
});

test('whatever the header, the wait is null or a safe whole number of milliseconds', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,500}$/)), (header) => {
      const waitMs = parseRetryAfter(header, now);
      expect(waitMs === null || (Number.isSafeInteger(waitMs) && waitMs >= 0)).toBe(true);
    }),
  );
});
