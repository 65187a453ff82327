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
  const seen = new Set(await waitingIds(queue));
  let deliveries = 0;
  return async () => {
    const joined = (await waitingIds(queue)).filter((id) => !seen.has(id));
    const jobs = await Promise.all(joined.map((id) => queue.getJob(id)));
    for (const job of jobs) deliveries += 1 + (job?.data.others?.length ?? 0);
    for (const id of joined) seen.add(id);
    return deliveries;
  };
}

/** Of a flood most jobs have a priority. */
function waitingIds(queue: Queue): Promise<string[]> {
  return queue.getRanges(['wait', 'prioritized'], 0, -1);
}
