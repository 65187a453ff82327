import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { datasetBytes } from './storage-bytes.js';

export type OpenQueue = { queue: Queue; readDatasetBytes: () => Promise<number> };

export async function withQueue<T>(redisUrl: string, use: (open: OpenQueue) => Promise<T>): Promise<T> {
  const connection = new Redis(redisUrl);
  const queue = new Queue('deliveries', { connection, prefix: 'driftwire' });
  try {
    return await use({ queue, readDatasetBytes: async () => datasetBytes(await connection.info('memory')) });
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

/** How many deliveries have joined the queue since then, while nobody takes any: a job may carry several. */
export async function countJoining(queue: Queue): Promise<() => Promise<number>> {
  let seen = await queue.getWaitingCount();
  let deliveries = 0;
  return async () => {
    const jobs = await queue.getWaitingCount();
    const joined = jobs > seen ? await queue.getWaiting(seen, jobs - 1) : [];
    for (const { data } of joined) deliveries += 1 + (data.others?.length ?? 0);
    seen += joined.length;
    return deliveries;
  };
}
