const SHAPE =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[Tt](?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-](?<offsetHour>\d\d):(?<offsetMinute>\d\d))$/;

/**
 * An RFC 3339 date-time with its offset that names a real instant. Stricter than the RFC where no clock or database
 * could keep it: no year 0000, no leap second (:60, Postgres and Date would silently move it), at most nine digits of a
 * second, offsets below 16 hours (Postgres' limit; the world needs 14).
 */
export function isRfc3339(text: string): boolean {
  const parts = SHAPE.exec(text)?.groups;
  if (!parts) return false;
  const number = (name: string) => Number(parts[name] ?? 0);
  return (
    isCalendarDate(number('year'), number('month'), number('day')) &&
    number('hour') <= 23 &&
    number('minute') <= 59 &&
    number('second') <= 59 &&
    number('offsetHour') <= 15 &&
    number('offsetMinute') <= 59
  );
}

function isCalendarDate(year: number, month: number, day: number): boolean {
  if (year === 0 || month < 1 || month > 12 || day < 1) return false;
  const lastDay = new Date(0);
  lastDay.setUTCFullYear(year, month, 0);
  return day <= lastDay.getUTCDate();
}
