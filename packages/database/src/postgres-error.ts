import { isDriverAdapterError } from '@prisma/driver-adapter-utils';
import { Prisma } from './generated/client.js';

/** True for SQLSTATE 23505 on the constraint or unique index of that name, in whatever language the server says so. */
export function isUniqueViolation(error: unknown, constraint: string | RegExp): boolean {
  const cause = adapterCause(error);
  const named = constraint instanceof RegExp ? constraint : new RegExp(`\\b${constraint}\\b`);
  return cause?.originalCode === '23505' && named.test(cause.originalMessage ?? '');
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

/**
 * True for SQLSTATE 23514 where it means that a day's partition is missing or detached: in any language it names the table as a
 * whole, where a CHECK names a day's table.
 */
export function isPartitionMissing(error: unknown): boolean {
  const cause = adapterCause(error);
  return cause?.originalCode === '23514' && PARTITIONED.test(cause.originalMessage ?? '');
}

const PARTITIONED = /\b(drift_events|deliveries|attempts)\b/;

/**
 * True when nothing is wrong with the request: Postgres is away, overloaded or took too long, and the same call may
 * succeed later. Everything else is a bug.
 */
export function isPostgresUnavailable(error: unknown): boolean {
  return isPostgresAway(error) || isOverload(error) || error instanceof PostgresStillAway || isNoPartition(error);
}

function isOverload(error: unknown): boolean {
  const isPrisma = error instanceof Prisma.PrismaClientKnownRequestError;
  return (isPrisma && error.code === NO_TRANSACTION) || isSaidBy(error, OVERLOADED);
}

/** Waited for, and in vain. Not `away` itself, so that nobody begins to wait again. */
export class PostgresStillAway extends Error {
  override name = 'PostgresStillAway';

  constructor(cause: unknown) {
    super('Postgres was away for longer than anybody waits', { cause });
  }
}

/**
 * True when Postgres cannot be reached, has cut the connection, or is read-only for now: as in a restart or a failover, which is
 * over in seconds. An overloaded server is not away: whoever sends again at once would make it worse.
 */
export function isPostgresAway(error: unknown): boolean {
  return isSaidBy(error, NEVER_SENT) || isSaidBy(error, LOST);
}

/** True when Postgres was away before it could begin with the statement. After any other outage nobody knows what it did. */
export function wasNeverSent(error: unknown): boolean {
  return isSaidBy(error, NEVER_SENT);
}

/** How a trouble shows: by the driver adapter's word, by SQLSTATE, by the code of a socket, or by what `pg` says by itself. */
type Trouble = { kinds: readonly string[]; sqlState: RegExp; socketCode: RegExp; message: RegExp };

const NOTHING = /^(?!)/;

/** cannot_connect_now, read_only_sql_transaction; sqlclient_unable_to_establish_sqlconnection and its rejection. */
const NEVER_SENT: Trouble = {
  kinds: ['DatabaseNotReachable'],
  sqlState: /^(57P03|25006|08001|08004)$/,
  socketCode: /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_AGAIN)$/,
  message: /^Connection terminated due to connection timeout/,
};

/** Connection exceptions, admin_shutdown, crash_shutdown. */
const LOST: Trouble = {
  kinds: ['ConnectionClosed', 'SocketTimeout'],
  sqlState: /^(08|57P01|57P02)/,
  socketCode: /^(ECONNRESET|ETIMEDOUT|EPIPE)$/,
  message: /^(Connection terminated|Client has encountered a connection error)/,
};

/** Prisma's "Transaction API error": a transaction could not begin in time. */
const NO_TRANSACTION = 'P2028';

/**
 * Insufficient resources, operator intervention (timeouts included), lock not available, deadlock; no place in the pool; and our
 * own DW001, an event that has waited for too long to be stored.
 */
const OVERLOADED: Trouble = {
  kinds: ['TlsConnectionError', 'TooManyConnections'],
  sqlState: /^(53|57|55P03|40P01|40001|25P03|DW001)/,
  socketCode: NOTHING,
  message: /^(timeout exceeded when trying to connect|Query read timeout)/,
};

function isSaidBy(error: unknown, { kinds, sqlState, socketCode, message }: Trouble): boolean {
  const cause = adapterCause(error);
  if (cause !== null) return kinds.includes(cause.kind) || sqlState.test(cause.originalCode ?? '');
  if (!(error instanceof Error)) return false;
  return message.test(error.message) || (isSocketError(error) && socketCode.test(error.code));
}

/** Of Node's sockets. When every address of a name fails, it is an AggregateError, with the code of the first. */
function isSocketError(error: Error): error is Error & { code: string } {
  const isOfNode = 'syscall' in error || error instanceof AggregateError;
  return isOfNode && 'code' in error && typeof error.code === 'string';
}

type AdapterCause = { kind: string; originalCode?: string; originalMessage?: string };

/** The driver adapter's account of an error, which Prisma keeps in `meta`; a direct query throws it as it is. */
function adapterCause(error: unknown): AdapterCause | null {
  const adapterError = error instanceof Prisma.PrismaClientKnownRequestError ? error.meta?.driverAdapterError : error;
  const isOfAdapter = isRecord(adapterError) && isDriverAdapterError(adapterError);
  return isOfAdapter && isCause(adapterError.cause) ? adapterError.cause : null;
}

function isCause(value: unknown): value is AdapterCause {
  return isRecord(value) && typeof value.kind === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
