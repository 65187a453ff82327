import { setTimeout as delay } from 'node:timers/promises';
import {
  connectDatabase,
  createPartitionWatch,
  createSealer,
  deactivateGoneEndpoint,
  dropDay,
  expiredDays,
  isPostgresUnavailable,
  makePartitionsAhead,
  partitionDaysAhead,
  releaseClaim,
  summarizeOverdue,
} from '@driftwire/database';
import { createConsumer, createProducer, withoutRepeats } from '@driftwire/queue';
import {
  addressPolicyOf,
  configOrExit,
  createLog,
  createMetrics,
  exitOnBug,
  measureBatches,
  repeatInBackground,
  stopOnSignal,
  version,
  workerEnvironment,
} from '@driftwire/runtime';
import { createSender } from '@driftwire/sender';
import { createDeliver } from './deliver.js';
import { countInFlight, createDeliveryObserver } from './delivery-observer.js';
import { createDeliveryStatements, DeliveryLocked } from './delivery-statements.js';
import { createEndpointOpener } from './opened-endpoints.js';
import { startOperationsServer } from './operations-server.js';
import { recordUntil } from './record-until.js';
import { createRecovery, NO_RECOVERY } from './recovery.js';
import { dropExpiredDays } from './retention.js';
import { createPartitionObserver, createRetentionObserver } from './retention-observer.js';
import { createSweepObserver } from './sweep-observer.js';
import { createSweeper } from './sweeper.js';
import { createWatchdog } from './watchdog.js';

/** Of the 20 s between a request's own timeout and the end of its lease, most are for recording what came back. */
const LEASE_MARGIN_MS = 20_000;
const POOL_SIZE = 10;
const EXIT_MS = 3_000;
const LAST_BEAT_MS = 1_000;
/** The gauge's, and more than anybody needs to know. */
const OVERDUE_COUNT_LIMIT = 10_000;
const PARTITIONS_EVERY_MS = 60_000;
const PARTITIONS_RETRY_MS = 5_000;
const RETENTION_EVERY_MS = 3_600_000;
const RETENTION_RETRY_MS = 30_000;
/** EX_SOFTWARE of sysexits(3). */
const EX_SOFTWARE = 70;

const now = () => performance.now();

process.title = 'driftwire-worker';
const config = configOrExit(workerEnvironment);
const log = createLog({ service: 'driftwire-worker', level: config.LOG_LEVEL });
exitOnBug(log);

const registry = createMetrics('driftwire-worker');
const leaseMs = config.REQUEST_TIMEOUT_MS + LEASE_MARGIN_MS;
const database = connectDatabase({
  url: config.DATABASE_URL,
  applicationName: 'driftwire-worker',
  poolSize: POOL_SIZE,
  plans: 'generic',
  onConnectionLost: (error) => log.warn({ err: error }, 'postgres.connection_lost'),
});
const sender = createSender({
  version,
  addressPolicy: addressPolicyOf(config),
  timeoutMs: config.REQUEST_TIMEOUT_MS,
});
const statements = createDeliveryStatements(database.prisma, {
  leaseMs,
  fenced: config.SABOTAGE !== 'no-fence',
  isBusy: () => consumer.inFlight() * 2 >= config.WORKER_CONCURRENCY,
  observeBatch: measureBatches(registry),
});
const deliver = createDeliver({
  claim(job) {
    watchdog.jobTaken();
    return statements.claim(job);
  },
  openSecrets: createEndpointOpener(createSealer(config.ENCRYPTION_KEYS)),
  release: (claim, due) => releaseClaim(database.prisma, claim, due),
  send: sender.send,
  record: (record, isOver) => recordUntil(() => statements.record(record), { isWorthRepeating, isOver }),
  deactivateEndpoint: (endpoint, isOver) =>
    recordUntil(() => deactivateGoneEndpoint(database.prisma, endpoint), { isWorthRepeating, isOver }),
  observe: createDeliveryObserver(log, registry),
  retryBaseDelayMs: config.RETRY_BASE_DELAY_MS,
  leaseMs,
  now,
  random: Math.random,
  pause: (ms) => delay(ms),
});
const watchdog = createWatchdog(now);
const queueOptions = {
  redisUrl: config.REDIS_URL,
  prefix: 'driftwire',
  onError: withoutRepeats((error, repeats) => log.warn({ err: error, repeats }, 'redis.error'), now),
};
const consumer = createConsumer({
  ...queueOptions,
  concurrency: config.WORKER_CONCURRENCY,
  run: countInFlight(deliver, registry),
  onMalformedJob: (jobId) => log.warn({ job_id: jobId }, 'job.malformed'),
});
const producer = createProducer(queueOptions);
const observeSweep = createSweepObserver(log, registry);
const recovery = createRecovery({ prisma: database.prisma, producer, observe: observeSweep });
const sweeper = createSweeper({
  summarizeOverdue: () => summarizeOverdue(database.prisma, { countLimit: OVERDUE_COUNT_LIMIT }),
  redisAnswers: producer.answers,
  queueIsPaused: producer.isPaused,
  inFlight: consumer.inFlight,
  isWedged: watchdog.isWedged,
  exitWedged: (vitals) => {
    observeSweep.wedged(vitals);
    process.exit(EX_SOFTWARE);
  },
  ...(config.SABOTAGE === 'no-sweeper' ? NO_RECOVERY : recovery),
  observe: observeSweep,
  random: Math.random,
});
const observeRetention = createRetentionObserver(log, registry);
const retention = () =>
  dropExpiredDays({
    expiredDays: async () =>
      config.RETENTION_DAYS === 0
        ? []
        : expiredDays(database.prisma, { retentionDays: config.RETENTION_DAYS, now: new Date() }),
    dropDay: (day) => dropDay(database.prisma, day),
    observe: observeRetention,
  });
const partitions = createPartitionWatch({
  make: () => makePartitionsAhead(database.prisma),
  daysAhead: () => partitionDaysAhead(database.prisma),
  observe: createPartitionObserver(log, registry),
});
const operations = await startOperationsServer({
  host: config.HOST,
  port: config.WORKER_PORT,
  registry,
  checkHealth: async () => ({ postgres: await database.answers(), redis: await consumer.answers() }),
}).catch((error: Error) => {
  process.stderr.write(`The worker cannot listen on ${config.HOST}:${config.WORKER_PORT}: ${error.message}\n`);
  process.exit(1);
});

stopOnSignal({
  log,
  graceMs: config.SHUTDOWN_GRACE_MS + EXIT_MS,
  stop: async () => {
    sweeper.stop();
    await consumer.close(config.SHUTDOWN_GRACE_MS);
    // A beat that loses its connections would be reported as a failure.
    await Promise.race([Promise.all([sweeping, keeping.stop(), dropping.stop()]), delay(LAST_BEAT_MS)]);
    sender.close();
    operations.close();
    await Promise.all([producer.close(), database.close()]);
  },
});
// Last: a worker that cannot listen must not have taken jobs, for it would leave their attempts interrupted.
consumer.start();
const sweeping = sweeper.run();
const keeping = repeatInBackground(partitions.keep, {
  everyMs: PARTITIONS_EVERY_MS,
  afterFailureMs: PARTITIONS_RETRY_MS,
  onFailure: (error) => log.warn({ err: error }, 'partitions.not_made'),
});
const dropping = repeatInBackground(retention, {
  everyMs: RETENTION_EVERY_MS,
  afterFailureMs: RETENTION_RETRY_MS,
  onFailure: (error) => log.warn({ err: error }, 'retention.failed'),
});
log.info({ port: operations.port, concurrency: config.WORKER_CONCURRENCY }, 'worker.started');
if (config.SABOTAGE !== 'none') log.error({ sabotage: config.SABOTAGE }, 'worker.sabotaged: it breaks its promises');

function isWorthRepeating(error: unknown): boolean {
  return error instanceof DeliveryLocked || isPostgresUnavailable(error);
}
