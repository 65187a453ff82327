import { Prisma } from './generated/client.js';

/** True for SQLSTATE 23505 on the constraint or unique index of that name. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const cause = adapterCause(error);
  return cause?.originalCode === '23505' && (cause.originalMessage ?? '').includes(`"${constraint}"`);
}

/** True for SQLSTATE 55P03: somebody else holds the lock, and waiting for it would make others wait. */
export function isLockNotAvailable(error: unknown): boolean {
  return adapterCause(error)?.originalCode === '55P03';
}

/** A row belongs to a day that has no partition, and none could be made: nothing is wrong with the row. */
export class NoPartition extends Error {
  override name = 'NoPartition';
}

/** True where a row's day has no partition and gets none: other rows of the same batch may be of other days. */
export function isNoPartition(error: unknown): boolean {
  return error instanceof NoPartition;
}

/** True for SQLSTATE 23514 where it means that a day's partition is missing or detached. */
export function isPartitionMissing(error: unknown): boolean {
  const cause = adapterCause(error);
  return cause?.originalCode === '23514' && (cause.originalMessage ?? '').startsWith('no partition of relation');
}

/**
 * True when nothing is wrong with the request: Postgres is away, overloaded or took too long, and the same call may
 * succeed later. Everything else is a bug.
 */
export function isPostgresUnavailable(error: unknown): boolean {
  if (isNoPartition(error)) return true;
  const cause = adapterCause(error);
  if (cause !== null) {
    return UNREACHABLE_KINDS.has(cause.kind) || UNAVAILABLE_SQLSTATE.test(cause.originalCode ?? '');
  }
  return error instanceof Error && CONNECTION_MESSAGE.test(error.message);
}

const UNREACHABLE_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
]);

/**
 * Connection exceptions, insufficient resources, operator intervention (timeouts included), lock not available, deadlock; and
 * our own DW001, an event that has waited for too long to be stored.
 */
const UNAVAILABLE_SQLSTATE = /^(08|53|57|55P03|40P01|40001|25P03|DW001)/;

/** What `pg` throws by itself, as plain errors without a code: pool exhausted, connection lost, no answer in time. */
const CONNECTION_MESSAGE =
  /^(timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|read ECONNRESET|write EPIPE)/;

type AdapterCause = { kind: string; originalCode?: string; originalMessage?: string };

/** The driver adapter's account of an error, which Prisma keeps in `meta`. */
function adapterCause(error: unknown): AdapterCause | null {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return null;
  const adapterError = error.meta?.driverAdapterError;
  return isRecord(adapterError) && isCause(adapterError.cause) ? adapterError.cause : null;
}

function isCause(value: unknown): value is AdapterCause {
  return isRecord(value) && typeof value.kind === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
