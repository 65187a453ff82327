import { isRfc3339 } from '@driftwire/delivery';
import { z } from 'zod';

/** Fields that several resources share. Messages read behind their pointer: "/name must be …". */

/** Postgres refuses NUL and lone surrogates in text; control characters in a name are somebody's accident or attack. */
export const displayName = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');

export const instant = z
  .string('must be a time like 2026-01-31T00:00:00Z')
  .refine(isRfc3339, 'must be a time like 2026-01-31T00:00:00Z (RFC 3339)')
  .refine(isInCommonEra, 'must be within the years 1 to 9999, in UTC')
  .meta({ format: 'date-time' });

/** For calls that take no input: no body, or an empty object. */
export const nothing = z.strictObject({});

/** Named in creates; who may name whom is decided in customer-scope.ts before this is looked at. */
export const customerIdField = z
  .string('must be the id of a customer')
  .optional()
  .meta({ format: 'uuid', description: 'Required with a platform key; a customer key acts for its own customer.' });

/** A filter that is compared with stored text, which holds no NUL: Postgres refuses to compare with one. */
export const filterText = z
  .string('must be given once')
  .max(255, 'must have at most 255 characters')
  .regex(/^[^\0]*$/, 'must not contain NUL');

/** An offset can move a time out of the years that Postgres, `Date` and RFC 3339 all write the same way. */
function isInCommonEra(time: string): boolean {
  const year = new Date(time).getUTCFullYear();
  return Number.isNaN(year) || (year >= 1 && year <= 9999);
}
