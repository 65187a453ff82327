const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)';

const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d{2}) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`), // IMF-fixdate
  new RegExp(`^${LONG_DAY}, (?<day>\\d{2})-${MONTH}-(?<year>\\d{2}) ${TIME} GMT$`), // obsolete: RFC 850
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`), // obsolete: asctime
];

/**
 * The instant of an HTTP-date (RFC 9110 §5.6.7) in epoch milliseconds, or null. Only the three forms the RFC names:
 * `Date.parse` would also take "1", "-5" or "tomorrow 12".
 */
export function parseHttpDate(text: string, nowMs: number): number | null {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts) return instantOf(parts, nowMs);
  }
  return null;
}

function instantOf(parts: Record<string, string | undefined>, nowMs: number): number | null {
  const number = (name: string) => Number(parts[name]);
  const month = MONTHS.indexOf(parts.month ?? '');
  const year = parts.year?.length === 2 ? fullYear(number('year'), nowMs) : number('year');
  const date = new Date(0);
  date.setUTCFullYear(year, month, number('day'));
  if (date.getUTCDate() !== number('day')) return null; // 31 February
  // A leap second (:60) may appear here and simply becomes the next second.
  if (number('hour') > 23 || number('minute') > 59 || number('second') > 60) return null;
  return date.setUTCHours(number('hour'), number('minute'), number('second'));
}

/** A two-digit year that seems more than 50 years ahead is the last past year with those digits (RFC 9110 §5.6.7). */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
