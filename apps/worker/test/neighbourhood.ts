import type { PrismaClient } from '@driftwire/database';
import { aDriftEvent, type Stack, startReceiver, startStack, startWorker } from '@driftwire/testing';
import { expect } from '@jest/globals';
import { openDatabase } from './open-database.js';

export type Served = Awaited<ReturnType<Stack['customerWithEndpoint']>>;

/** A stack with two customers: one whose receiver is watched, `stack.receiver`, and one who has `neighbours` and did nothing wrong. */
export async function startNeighbourhood(
  given: Record<string, string> = {},
  { workers = 1, endpoint = {} }: { workers?: number; endpoint?: Record<string, unknown> } = {},
) {
  const env = { SHUTDOWN_GRACE_MS: '500', ...given };
  const stack = await startStack({ env, workers });
  const neighbours = await startReceiver();
  const database = openDatabase(stack);
  const prisma: PrismaClient = database.prisma;
  return {
    stack,
    neighbours,
    prisma,
    async close() {
      await database.close();
      await stack.close();
      await neighbours.close();
    },
    async anotherWorker(more: Record<string, string> = {}) {
      const { database, redis } = stack;
      const options = { databaseUrl: database.url, redisUrl: redis.url, env: { ...env, ...more } };
      stack.workers.push(await startWorker(options));
    },
    watched: await stack.customerWithEndpoint(endpoint),
    neighbour: await stack.customerWithEndpoint({ url: neighbours.url }),
    /** Answers the ids of the events, as they were posted. */
    async post({ customerId }: Served, count: number): Promise<string[]> {
      const events = Array.from({ length: count }, () => aDriftEvent());
      const { status, body } = await stack.api.post('/v1/drift-events/batch', { customer_id: customerId, events });
      expect(status).toBe(202);
      return body.results.map(({ id }: { id: string }) => id);
    },
    held: async (endpointId: string): Promise<number> =>
      prisma.delivery.count({ where: { endpointId, holdReason: { not: null } } }),
    ended: async (customerId: string): Promise<number> =>
      prisma.delivery.count({ where: { customerId, completedAt: { not: null } } }),
    delivered: async (customerId: string): Promise<number> =>
      prisma.delivery.count({ where: { customerId, status: 'success' } }),
  };
}
