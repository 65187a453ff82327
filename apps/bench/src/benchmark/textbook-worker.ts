import { createHmac } from 'node:crypto';
import { Agent } from 'node:http';
import { connectDatabase } from '@driftwire/database';
import { Worker } from 'bullmq';
import got from 'got';
import { Redis } from 'ioredis';
import { TEXTBOOK_QUEUE, type TextbookJob } from './textbook-queue.js';

/**
 * The baseline: how a good book would write a webhook worker on this stack. Per job one read with its joins, one request
 * over a kept-alive connection, one transaction that writes the outcome. Nothing is batched, nothing is lazy, nothing is slow
 * on purpose.
 */
const { DATABASE_URL = '', REDIS_URL = '', SECRET = '' } = process.env;
const { prisma } = connectDatabase({
  url: DATABASE_URL,
  applicationName: 'textbook-worker',
  poolSize: 10,
  onConnectionLost: () => {},
});
const client = got.extend({
  agent: { http: new Agent({ keepAlive: true }) },
  timeout: { request: 15_000 },
  retry: { limit: 0 },
  throwHttpErrors: false,
});

const worker = new Worker<TextbookJob>(TEXTBOOK_QUEUE, ({ data }) => deliver(data.deliveryId), {
  connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }),
  concurrency: 100,
});
worker.on('error', (error) => console.error(error));
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)));
console.log('ready');

async function deliver(id: string): Promise<void> {
  const { event, endpoint, ...delivery } = await prisma.delivery.findUniqueOrThrow({
    where: { id },
    include: { event: true, endpoint: true },
  });
  const startedAt = new Date();
  const headers = {
    'content-type': 'application/json',
    'webhook-id': event.id,
    'x-webhook-delivery-id': id,
    'x-signature': createHmac('sha256', SECRET).update(event.body).digest('hex'),
  };
  const response = await client.post(endpoint.url, { body: event.body, headers });
  const isDelivered = response.statusCode >= 200 && response.statusCode < 300;
  if (!isDelivered) throw new Error(`the receiver answered ${response.statusCode}`);
  const { statusCode: responseCode, timings, body: responseBody } = response;
  const durationMs = timings.phases.total ?? null;
  await prisma.$transaction([
    prisma.delivery.update({
      where: { id },
      data: { status: 'success', responseCode, completedAt: new Date(), recoverAt: null, nextAttemptAt: null },
    }),
    prisma.attempt.create({
      data: {
        deliveryId: id,
        customerId: delivery.customerId,
        number: 1,
        round: 1,
        startedAt,
        durationMs,
        outcome: 'response',
        responseCode,
        responseBody,
      },
    }),
  ]);
}
