import { setTimeout as delay } from 'node:timers/promises';
import {
  connectDatabase,
  createSealer,
  deactivateGoneEndpoint,
  isPostgresUnavailable,
  noteParked,
  releaseClaim,
  summarizeOverdue,
} from '@driftwire/database';
import { createConsumer, createEnqueueBuffer, createProducer, RedisRefusal, withoutRepeats } from '@driftwire/queue';
import {
  addressPolicyOf,
  createLog,
  createMetrics,
  exitOnBug,
  exitWhenMisconfigured,
  measureBatches,
  stopOnSignal,
  threadPoolOf,
  threadsNeeded,
  version,
  type WorkerConfig,
} from '@driftwire/runtime';
import { createSender } from '@driftwire/sender';
import { createClockSkewWatch, observeClockSkew } from './clock-skew.js';
import { createDeliver } from './deliver.js';
import { countInFlight, createDeliveryObserver, observePlaces } from './delivery-observer.js';
import { createDeliveryStatements, DeliveryLocked } from './delivery-statements.js';
import { createFlow, type LettingGo } from './flow.js';
import { createEndpointOpener } from './opened-endpoints.js';
import { startOperationsServer } from './operations-server.js';
import { recordUntil } from './record-until.js';
import { createRecovery, NO_RECOVERY } from './recovery.js';
import { createSweepObserver } from './sweep-observer.js';
import { createSweeper } from './sweeper.js';
import { createUpkeep } from './upkeep.js';
import { createWatchdog } from './watchdog.js';

/** Of the 20 s between a request's own timeout and the end of its lease, most are for recording what came back. */
const LEASE_MARGIN_MS = 20_000;
const POOL_SIZE = 10;
const EXIT_MS = 3_000;
/** Jobs kept in memory while Redis is away: of deliveries that failed in a bundle. */
const ENQUEUE_CAPACITY = 10_000;
const ENQUEUE_RETRY_MS = 250;
const LAST_BEAT_MS = 1_000;
/** Gauges count up to this, which is more than anybody needs to know. */
const GAUGE_LIMIT = 10_000;
/** EX_SOFTWARE of sysexits(3). */
const EX_SOFTWARE = 70;

const now = () => performance.now();

/** One worker, until a signal stops it. `lettingGo`: see `createFlow`. */
export async function runWorker(config: WorkerConfig, lettingGo?: LettingGo): Promise<void> {
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
  const threadPool = threadPoolOf(process.env);
  const sender = createSender({
    version,
    addressPolicy: addressPolicyOf(config),
    timeoutMs: config.REQUEST_TIMEOUT_MS,
    lookupsAtOnce: threadPool.lookupsAtOnce,
  });
  const statements = createDeliveryStatements(database, {
    leaseMs,
    fenced: config.SABOTAGE !== 'no-fence',
    isBusy: () => consumer.isPressed(),
    observeBatch: measureBatches(registry),
    readClock: createClockSkewWatch({ ...observeClockSkew(log, registry), now }),
  });
  const sealer = createSealer(config.ENCRYPTION_KEYS);
  const deliver = createDeliver({
    claim(job) {
      watchdog.jobTaken();
      return statements.claim(job);
    },
    hold: (job, reason) => flow.hold(job, reason),
    noteCrowded: (endpointId) => flow.noteCrowded(endpointId),
    judgeEndpoint: (claim, report) => flow.judgeEndpoint(claim, report),
    openSecrets: createEndpointOpener(sealer),
    release: (claim, due, isOver) =>
      recordUntil(() => releaseClaim(database.prisma, claim, due), { isWorthRepeating, isOver }),
    noteParked: (claim) => noteParked(database.prisma, claim, sealer.keyIds),
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
    onError: withoutRepeats((error, repeats) => {
      if (error instanceof RedisRefusal) log.error({ err: error, repeats }, 'redis.refused');
      else log.warn({ err: error, repeats }, 'redis.error');
    }, now),
  };
  const producer = createProducer(queueOptions);
  const leftBundles = createEnqueueBuffer({
    addJobs: producer.addJobs,
    capacity: ENQUEUE_CAPACITY,
    burst: ENQUEUE_CAPACITY,
    retryDelayMs: ENQUEUE_RETRY_MS,
    onOverflow: (count) => log.warn({ count }, 'jobs.overflow: the sweeper adds them'),
    onFailure: withoutRepeats((error, repeats) => log.warn({ err: error, repeats }, 'jobs.not_enqueued'), now),
  });
  const flow = createFlow(
    {
      ...{ config, prisma: database.prisma, log, registry, leaseMs },
      hold: statements.hold,
      consumer: {
        runWithoutJob: (delivery, maxAttempts) => consumer.runWithoutJob(delivery, maxAttempts),
        sparePlaces: () => consumer.sparePlaces(),
        hasRoomFor: (endpointId) => consumer.hasRoomFor(endpointId),
      },
      enqueue: leftBundles.push,
    },
    lettingGo,
  );
  const consumer = createConsumer({
    ...queueOptions,
    isCrowded: flow.isCrowded,
    hold: flow.hold,
    onRequestOver: flow.onRequestOver,
    concurrency: config.WORKER_CONCURRENCY,
    run: countInFlight(deliver, registry),
    enqueue: leftBundles.push,
    onMalformedJob: (jobId) => log.warn({ job_id: jobId }, 'job.malformed'),
  });
  observePlaces(consumer.placesTaken, registry);
  const observeSweep = createSweepObserver(log, registry);
  const recovery = createRecovery({
    prisma: database.prisma,
    producer,
    deliveriesPerJob: config.DELIVERIES_PER_JOB,
    observe: observeSweep,
  });
  const sweeper = createSweeper({
    summarizeOverdue: () => summarizeOverdue(database.prisma, { countLimit: GAUGE_LIMIT }),
    redisTakesWrites: producer.takesWrites,
    isRefused: consumer.isRefused,
    queueIsPaused: producer.isPaused,
    countWaiting: producer.countWaiting,
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
  const upkeep = createUpkeep({
    ...{ prisma: database.prisma, sealer, log, registry, flow },
    addJobs: producer.addJobs,
    retentionDays: config.RETENTION_DAYS,
  });
  const operations = await startOperationsServer({
    host: config.HOST,
    port: config.WORKER_PORT,
    registry,
    checkHealth: async () => ({ postgres: await database.answers(), redis: await consumer.takesJobs() }),
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
      flow.close();
      await leftBundles.close(LAST_BEAT_MS);
      // A beat that loses its connections would be reported as a failure.
      const ended = Promise.all([sweeping, ...background.map(({ stop }) => stop())]);
      await Promise.race([ended, delay(LAST_BEAT_MS)]);
      sender.close();
      operations.close();
      await Promise.all([producer.close(), database.close()]);
    },
  });
  // Last: a worker that cannot listen must not have taken jobs, for it would leave their attempts interrupted.
  consumer.start();
  const sweeping = sweeper.run();
  const background = upkeep.start();
  log.info({ port: operations.port, concurrency: config.WORKER_CONCURRENCY }, 'worker.started');
  void exitWhenMisconfigured(database.schemaProblem);
  const needed = threadsNeeded(config.WORKER_CONCURRENCY);
  if (threadPool.threads < needed)
    log.warn(
      { threads: threadPool.threads, needed },
      'worker.few_threads: names are resolved on them; set UV_THREADPOOL_SIZE',
    );
  if (config.SABOTAGE !== 'none') log.error({ sabotage: config.SABOTAGE }, 'worker.sabotaged: it breaks its promises');
}

function isWorthRepeating(error: unknown): boolean {
  return error instanceof DeliveryLocked || isPostgresUnavailable(error);
}
