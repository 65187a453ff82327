import { setTimeout as delay } from 'node:timers/promises';
import { apiEnvironment, compileWasmOnce, configOrExit, keepCompiledCode } from '@driftwire/runtime/configuration';
import type { AcceptedEvent } from './api-dependencies.js';

process.title = 'driftwire-api';
// Before anything else is loaded: a mistake in the environment is answered at once, and a restart waits for nothing twice.
const config = configOrExit(apiEnvironment);
keepCompiledCode();
compileWasmOnce();

const {
  connectDatabase,
  createDatabaseClock,
  createOutage,
  createPartitionWatch,
  createSealer,
  makePartitionsAhead,
  oldestDueMs,
  partitionDaysAhead,
  readDatabaseTimeMs,
  rememberKeyUse,
} = await import('@driftwire/database');
const { connectCounter, createEnqueueBuffer, createProducer, RedisRefusal, withoutRepeats } = await import(
  '@driftwire/queue'
);
const {
  addressPolicyOf,
  createLog,
  createMetrics,
  exitOnBug,
  exitWhenMisconfigured,
  measureBatches,
  onDemand,
  repeatInBackground,
  stopOnSignal,
  threadPoolOf,
  version,
} = await import('@driftwire/runtime');
const { createAccept } = await import('./accept-in-batches.js');
const { buildApp } = await import('./app.js');
const { createBacklogWatch } = await import('./backlog-watch.js');
const { createBriefMemory } = await import('./brief-memory.js');
const { createClockWatch } = await import('./clock-watch.js');
const { createCursors } = await import('./cursor.js');
const { findCustomerId } = await import('./customers.js');
const { given } = await import('./given.js');
const { createKeyUsage } = await import('./key-usage.js');
const { acceptanceCounters, storageGauges } = await import('./request-metrics.js');

const POOL_SIZE = 20;
/** Jobs kept in memory while Redis is away: about 20 MB. */
const ENQUEUE_CAPACITY = 100_000;
/** While it is there: ten requests of a thousand events for fifty endpoints each, at once. About 100 MB, for some 30 s. */
const ENQUEUE_BURST = 500_000;
const ENQUEUE_RETRY_MS = 250;
/** So long a revoked key may still work. */
const REMEMBERED_MS = 1_000;
const REMEMBERED_ROWS = 10_000;
const BACKLOG_EVERY_MS = 1_000;
const NAME_CHECK_MS = 2_000;
const KEY_USE_EVERY_MS = 5_000;
const PARTITIONS_EVERY_MS = 60_000;
const PARTITIONS_RETRY_MS = 5_000;
const CLOCK_EVERY_MS = 5_000;
const CLOCK_RETRY_MS = 1_000;
/** So long the start waits for the database's clock. Postgres may be away. */
const FIRST_LOOK_MS = 1_000;
const FLUSH_MS = 2_000;
const EXIT_MS = 1_000;
const GRACE_MS = 15_000;
const HANG_UP_EVERY_MS = 50;

const now = () => performance.now();

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
const outage = createOutage({ probe: database.answers, now });
const tellRefused = withoutRepeats((error, repeats) => log.error({ err: error, repeats }, 'redis.refused'), now);
const gauges = storageGauges(registry);
const clock = createDatabaseClock(() => readDatabaseTimeMs(database.prisma));
const clockWatch = createClockWatch(clock, {
  skew: (skewMs) => gauges.clockSkew.set(skewMs / 1000),
  off: (skewMs, remark) => log.warn({ skew_ms: Math.round(skewMs) }, `clock.off: this host's clock is ${remark}`),
});
const firstLook = clockWatch.look().catch(() => {});
const partitions = createPartitionWatch({
  make: () => makePartitionsAhead(database.prisma),
  daysAhead: () => partitionDaysAhead(database.prisma),
  observe: {
    made: (days) => log.info({ days }, 'partitions.made'),
    ahead: (days) => gauges.daysAhead.set(days),
  },
});
const producer = createProducer({
  redisUrl: config.REDIS_URL,
  prefix: 'driftwire',
  onError: noteRedisError,
});
const tellNotEnqueued = withoutRepeats(
  (error, repeats) => log.warn({ err: error, repeats, waiting: buffer.size() }, 'jobs.not_enqueued'),
  now,
);
const buffer = createEnqueueBuffer({
  addJobs: producer.addJobs,
  capacity: ENQUEUE_CAPACITY,
  burst: ENQUEUE_BURST,
  retryDelayMs: ENQUEUE_RETRY_MS,
  onOverflow: (count) => counters.overflow.inc(count),
  onFailure(error) {
    counters.enqueueFailures.inc();
    tellNotEnqueued(error);
  },
});
const counterRedis = config.RATE_LIMIT_PER_KEY === 0 ? null : connectCounter(config.REDIS_URL, noteRedisError);
const remembered = { ttlMs: REMEMBERED_MS, capacity: REMEMBERED_ROWS, now };
const observeBatch = measureBatches(registry);
const addressPolicy = addressPolicyOf(config);
/** For an endpoint's URL and its test, so not before somebody needs one. */
const outbound = onDemand(async () => {
  const { createNameCheck, createSender } = await import('@driftwire/sender');
  const { lookupsAtOnce } = threadPoolOf(process.env);
  const sender = createSender({ version, addressPolicy, timeoutMs: config.REQUEST_TIMEOUT_MS, lookupsAtOnce });
  closeSender = sender.close;
  return { checkName: createNameCheck({ addressPolicy, withinMs: NAME_CHECK_MS }), send: sender.send };
});
let closeSender = () => {};
const keyUsage = createKeyUsage((uses) => rememberKeyUse(database.prisma, uses), clock.now);
const findApiKey = createBriefMemory((id) => database.prisma.apiKey.findUnique({ where: { id } }), remembered);
const app = await buildApp({
  deps: {
    prisma: database.prisma,
    sealer: createSealer(config.ENCRYPTION_KEYS),
    now: clock.now,
    cursors: createCursors(config.ADMIN_API_KEY),
    findCustomer: createBriefMemory((id) => findCustomerId(database.prisma, id), remembered),
    accept: createAccept(database.direct, {
      maxAttempts: config.MAX_ATTEMPTS,
      deliveriesPerJob: config.DELIVERIES_PER_JOB,
      enqueue: buffer.push,
      backlogMs: createBacklogWatch(() => oldestDueMs(database.prisma), { everyMs: BACKLOG_EVERY_MS, now }),
      observeBatch: (events) => observeBatch('accept', events),
      outage,
      maxEndpointsPerCustomer: config.MAX_ENDPOINTS_PER_CUSTOMER,
    }),
    rideOut: outage.rideOut,
    addressPolicy,
    checkName: async (url) => (await outbound()).checkName(url),
    maxAttempts: config.MAX_ATTEMPTS,
    maxEndpointsPerCustomer: config.MAX_ENDPOINTS_PER_CUSTOMER,
    enqueue: buffer.push,
    send: async (request) => (await outbound()).send(request, config.REQUEST_TIMEOUT_MS, () => clock.now().getTime()),
    onAccepted: recordAccepted,
  },
  findApiKey: (id, until) => outage.rideOut(() => findApiKey(id), { until }),
  adminApiKey: config.ADMIN_API_KEY,
  onKeyUsed: keyUsage.note,
  now: clock.now,
  rateLimit: counterRedis && { perSecond: config.RATE_LIMIT_PER_KEY, redis: counterRedis, now },
  dashboardIsReadOnly: config.DASHBOARD_READ_ONLY,
  version,
  registry,
  log,
  producer,
  redisTakesJobs: async () => !buffer.isRefused() && (await producer.takesWrites()),
  postgresAnswers: database.answers,
  remarks: () => given({ clock: clockWatch.remark(), partitions: partitions.remark() }),
});
// Events that come at once must not be stored by a clock that is off.
await Promise.race([firstLook, delay(FIRST_LOOK_MS)]);
const looking = repeatInBackground(clockWatch.look, {
  everyMs: CLOCK_EVERY_MS,
  afterFailureMs: CLOCK_RETRY_MS,
  onFailure: (error) => log.debug({ err: error }, 'clock.unknown'),
});
const keeping = repeatInBackground(partitions.keep, {
  everyMs: PARTITIONS_EVERY_MS,
  afterFailureMs: PARTITIONS_RETRY_MS,
  onFailure: (error) => log.warn({ err: error }, 'partitions.not_made'),
});
const noting = repeatInBackground(keyUsage.flush, {
  everyMs: KEY_USE_EVERY_MS,
  afterFailureMs: KEY_USE_EVERY_MS,
  onFailure: (error) => log.warn({ err: error }, 'key_use.not_stored'),
});
await app.listen({ host: config.HOST, port: config.PORT }).catch((error: Error) => {
  process.stderr.write(`The API cannot listen on ${config.HOST}:${config.PORT}: ${error.message}\n`);
  process.exit(1);
});
log.info({ host: config.HOST, port: config.PORT }, 'api.started');
void exitWhenMisconfigured(database.schemaProblem);

stopOnSignal({
  log,
  graceMs: GRACE_MS,
  stop: async () => {
    outage.giveUp();
    // A connection whose last request is answered now may be kept alive by its client for a minute.
    const hangUp = setInterval(() => app.server.closeIdleConnections(), HANG_UP_EVERY_MS);
    // Requests may take longer than the grace; the jobs of those already answered must not wait for them.
    await Promise.race([app.close(), delay(GRACE_MS - FLUSH_MS - EXIT_MS)]);
    clearInterval(hangUp);
    await buffer.close(FLUSH_MS);
    closeSender();
    counterRedis?.disconnect();
    const stopped = Promise.all([looking.stop(), keeping.stop(), noting.stop()]).then(keyUsage.flush);
    await Promise.race([stopped.catch(() => {}), delay(EXIT_MS)]);
    await Promise.all([producer.close(), database.close()]);
  },
});

/** Quiet: what it means (jobs that wait in memory) is told by `jobs.not_enqueued`. But what a person must mend is not. */
function noteRedisError(error: Error): void {
  if (error instanceof RedisRefusal) tellRefused(error);
  else log.debug({ err: error }, 'redis.error');
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
