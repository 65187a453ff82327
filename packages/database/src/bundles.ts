import { randomBytes } from 'node:crypto';
import { Prisma } from './generated/client.js';

/**
 * The columns by which `bundleId` tells the rows of a statement apart: each row's place in this order, and how many there are. Where
 * not all of them get a job: among those that are alike in `apart`.
 */
export function inBundles(order: Prisma.Sql, apart?: Prisma.Sql): Prisma.Sql {
  const among = apart === undefined ? Prisma.empty : Prisma.sql`PARTITION BY ${apart}`;
  return Prisma.sql`row_number() OVER (${among} ORDER BY ${order}) - 1 AS place, count(*) OVER (${among}) AS total`;
}

/**
 * The id of the bundle that a row leaves in: as few bundles as hold at most `deliveriesPerJob` each, of equal sizes, so that workers
 * share. Null for a row that is alone
 * in its statement, and for every row where one job carries one delivery. The ids of a statement differ in their last 32 bits, the number of the
 * bundle, and what is before is random (an UUIDv8 of RFC 9562).
 */
export function bundleId(deliveriesPerJob: number): Prisma.Sql {
  const perJob = Prisma.sql`${deliveriesPerJob}::int`;
  return Prisma.sql`CASE WHEN total > 1 AND ${perJob} > 1 THEN (${statementId()}::text || lpad(to_hex(
    place * ((total + ${perJob} - 1) / ${perJob}) / total), 8, '0'))::uuid END`;
}

/** The first 96 bits, in hexadecimal digits. */
function statementId(): string {
  const random = randomBytes(12).toString('hex');
  return `${random.slice(0, 12)}8${random.slice(13, 16)}8${random.slice(17)}`;
}
