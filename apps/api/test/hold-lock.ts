import { randomUUID } from 'node:crypto';
import type { Prisma, PrismaClient } from '@driftwire/database';

/** Ends the other session's transaction; nothing of it stays. */
export type Release = () => Promise<void>;

/** Locks the whole table in another session, as a migration would. */
export function holdTable(prisma: PrismaClient, table: 'drift_events'): Promise<Release> {
  return hold(prisma, (session) => session.$executeRawUnsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`));
}

/** Takes an idempotency key in another session that never commits: whoever wants the same key waits for it. */
export function holdKey(prisma: PrismaClient, { customerId, key }: { customerId: string; key: string }) {
  const data = { customerId, key, eventId: randomUUID(), bodyHash: Buffer.alloc(32) };
  return hold(prisma, (session) => session.idempotencyKey.create({ data }));
}

async function hold(
  prisma: PrismaClient,
  take: (session: Prisma.TransactionClient) => Promise<unknown>,
): Promise<Release> {
  const rollback = new Error('released');
  let release = () => {};
  const released = new Promise<never>((_, reject) => {
    release = () => reject(rollback);
  });
  let ended: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    ended = prisma
      .$transaction(
        async (session) => {
          await session.$executeRaw`SET LOCAL idle_in_transaction_session_timeout = 0`;
          await take(session);
          resolve();
          await released;
        },
        { timeout: 60_000 },
      )
      .catch((error) => {
        if (error !== rollback) reject(error);
      });
  });
  return () => {
    release();
    return ended;
  };
}

/** Statements of this database that are waiting for a lock. */
export async function lockWaiters(prisma: PrismaClient): Promise<number> {
  const [row] = await prisma.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}
