import { setTimeout as delay } from 'node:timers/promises';
import { connectDatabase, createSealer, makePartitionsAhead, oldestDueMs } from '@driftwire/database';
import { createEnqueueBuffer, createProducer, withoutRepeats } from '@driftwire/queue';
import {
  apiEnvironment,
  configOrExit,
  createLog,
  createMetrics,
  exitOnBug,
  measureBatches,
  repeatInBackground,
  stopOnSignal,
  version,
} from '@driftwire/runtime';
import { createSender } from '@driftwire/sender';
import { createAccept } from './accept-in-batches.js';
import type { AcceptedEvent } from './api-dependencies.js';
import { buildApp } from './app.js';
import { createBacklogWatch } from './backlog-watch.js';
import { createBriefMemory } from './brief-memory.js';
import { createCursors } from './cursor.js';
import { findCustomerId } from './customers.js';
import { acceptanceCounters } from './request-metrics.js';

const POOL_SIZE = 20;
/** Jobs kept in memory while Redis is away: about 20 MB. */
const ENQUEUE_CAPACITY = 100_000;
const ENQUEUE_RETRY_MS = 250;
/** So long a revoked key may still work. */
const REMEMBERED_MS = 1_000;
const REMEMBERED_ROWS = 10_000;
const BACKLOG_EVERY_MS = 1_000;
const PARTITIONS_EVERY_MS = 3_600_000;
const PARTITIONS_RETRY_MS = 5_000;
const FLUSH_MS = 2_000;
const EXIT_MS = 1_000;
const GRACE_MS = 15_000;

const now = () => performance.now();

process.title = 'driftwire-api';
const config = configOrExit(apiEnvironment);
const log = createLog({ service: 'driftwire-api', level: config.LOG_LEVEL });
exitOnBug(log);

const registry = createMetrics('driftwire-api');
const counters = acceptanceCounters(registry);
const database = connectDatabase({
  url: config.DATABASE_URL,
  applicationName: 'driftwire-api',
  poolSize: POOL_SIZE,
  onConnectionLost: (error) => log.warn({ err: error }, 'postgres.connection_lost'),
});
const producer = createProducer({
  redisUrl: config.REDIS_URL,
  prefix: 'driftwire',
  onError: (error) => log.debug({ err: error }, 'redis.error'),
});
const tellNotEnqueued = withoutRepeats(
  (error, repeats) => log.warn({ err: error, repeats, waiting: buffer.size() }, 'jobs.not_enqueued'),
  now,
);
const buffer = createEnqueueBuffer({
  addJobs: producer.addJobs,
  capacity: ENQUEUE_CAPACITY,
  retryDelayMs: ENQUEUE_RETRY_MS,
  onOverflow: (count) => counters.overflow.inc(count),
  onFailure(error) {
    counters.enqueueFailures.inc();
    tellNotEnqueued(error instanceof Error ? error : new Error(`${error}`));
  },
});
const remembered = { ttlMs: REMEMBERED_MS, capacity: REMEMBERED_ROWS, now };
const observeBatch = measureBatches(registry);
const addressPolicy = { allowPrivate: config.ALLOW_PRIVATE_ENDPOINTS, ports: config.ENDPOINT_PORTS };
const sender = createSender({ version, addressPolicy, timeoutMs: config.REQUEST_TIMEOUT_MS });
const app = await buildApp({
  deps: {
    prisma: database.prisma,
    sealer: createSealer(config.ENCRYPTION_KEYS),
    cursors: createCursors(config.ADMIN_API_KEY),
    findCustomer: createBriefMemory((id) => findCustomerId(database.prisma, id), remembered),
    accept: createAccept(database.prisma, {
      maxAttempts: config.MAX_ATTEMPTS,
      backlogMs: createBacklogWatch(() => oldestDueMs(database.prisma), { everyMs: BACKLOG_EVERY_MS, now }),
      observeBatch: (events) => observeBatch('accept', events),
    }),
    addressPolicy,
    maxAttempts: config.MAX_ATTEMPTS,
    maxEndpointsPerCustomer: config.MAX_ENDPOINTS_PER_CUSTOMER,
    enqueue: buffer.push,
    send: sender.send,
    onAccepted: recordAccepted,
  },
  findApiKey: createBriefMemory((id) => database.prisma.apiKey.findUnique({ where: { id } }), remembered),
  adminApiKey: config.ADMIN_API_KEY,
  rateLimitPerKey: config.RATE_LIMIT_PER_KEY,
  version,
  registry,
  log,
  producer,
  postgresAnswers: database.answers,
});
const keeping = repeatInBackground(keepPartitionsAhead, {
  everyMs: PARTITIONS_EVERY_MS,
  afterFailureMs: PARTITIONS_RETRY_MS,
  onFailure: (error) => log.warn({ err: error }, 'partitions.not_made'),
});
await app.listen({ host: config.HOST, port: config.PORT }).catch((error: Error) => {
  process.stderr.write(`The API cannot listen on ${config.HOST}:${config.PORT}: ${error.message}\n`);
  process.exit(1);
});
log.info({ host: config.HOST, port: config.PORT }, 'api.started');

stopOnSignal({
  log,
  graceMs: GRACE_MS,
  stop: async () => {
    // Requests may take longer than the grace; the jobs of those already answered must not wait for them.
    await Promise.race([app.close(), delay(GRACE_MS - FLUSH_MS - EXIT_MS)]);
    await buffer.close(FLUSH_MS);
    sender.close();
    await Promise.race([keeping.stop(), delay(EXIT_MS)]);
    await Promise.all([producer.close(), database.close()]);
  },
});

/** No event can be stored on a day without its partition, and workers may not be there to make it. */
async function keepPartitionsAhead(): Promise<void> {
  const days = await makePartitionsAhead(database.prisma);
  if (days > 0) log.info({ days }, 'partitions.made');
}

function recordAccepted(accepted: AcceptedEvent): void {
  counters.events.inc({ replayed: String(accepted.replayed) });
  if (!accepted.replayed) counters.deliveries.inc(accepted.deliveries);
  log.info(
    {
      event_id: accepted.eventId,
      customer_id: accepted.customerId,
      event_type: accepted.eventType,
      deliveries: accepted.deliveries,
      replayed: accepted.replayed,
    },
    'drift_event.accepted',
  );
}
