import { randomUUID } from 'node:crypto';
import { setImmediate as immediate } from 'node:timers/promises';
import {
  type Attempt,
  acceptEvents,
  type Claim,
  claimDeliveries,
  connectDatabase,
  type Delivery,
  type NewDelivery,
  recordAttempts,
  releaseClaim,
} from '@driftwire/database';
import { createRunJob, type DeliveryWakeUp } from '@driftwire/queue';
import type { AttemptReport } from '@driftwire/sender';
import { freshDatabase } from '@driftwire/testing';
import { createDeliver, type DeliverDeps } from '../src/deliver.js';
import { createRecovery } from '../src/recovery.js';
import { createSimulatedQueue, type Taken } from './simulated-queue.js';

export const LEASE_MS = 35_000;
const MAX_ATTEMPTS = 3;
/** Of the sweeper: it bundles what it replaces. */
const DELIVERIES_PER_JOB = 3;
const RETRY_BASE_DELAY_MS = 120_000;
/** Postgres reads a clock of its own. */
const CLOCK_NOISE_MS = 250;

/** What comes of a request: an answer, or what goes wrong here. `late`: not sent after all. */
export type Fate = 200 | 500 | 410 | 'late' | 'record fails';

/** A request that is out, until it has ended. */
export type Flight = {
  claim: Claim;
  leaseEndsAt: number;
  run: Run;
  isOver: boolean;
  wasSent: boolean;
  end: (fate: Fate) => void;
};

/** A job in the hands of a worker. A dead one does nothing any more; one that has merely lost its lock goes on. */
export type Run = { taken: Taken; losesJobs: boolean; isDead: boolean; isOver: boolean };

/** A delivery's row with its attempts. */
export type Row = Delivery & { attempts: Attempt[] };

export type BundleWorld = Awaited<ReturnType<Awaited<ReturnType<typeof bundleWorlds>>['aWorld']>>;

export type Accept = { events: number; deliveriesPerJob: number; jobs: 'added' | 'lost' | 'found again' | 'both' };

/**
 * Deliveries on a real Postgres, and the real statements, `createDeliver`, `createRunJob` and sweeper on them, with a simulated queue and
 * receivers that answer when the test says so. Time is what the test lets pass: it moves rows and jobs, and nobody waits.
 */
export async function bundleWorlds() {
  const fresh = await freshDatabase();
  const options = { applicationName: 'test', poolSize: 10, onConnectionLost: () => {} };
  const { prisma, direct, close } = connectDatabase({ url: fresh.url, ...options });
  const customerId = (await prisma.customer.create({ data: { name: 'Acme' } })).id;
  for (const name of ['one', 'other']) {
    const endpoint = { name, url: 'https://receiver.example/', eventTypes: ['*'], secretSealed: 's', headerNames: [] };
    await prisma.endpoint.create({ data: { id: randomUUID(), customerId, ...endpoint } });
  }

  async function aWorld() {
    await prisma.attempt.deleteMany();
    await prisma.delivery.deleteMany();
    let passedMs = 0;
    let moving = 0;
    const now = () => Date.now() + passedMs;
    const queue = createSimulatedQueue(now);
    const ids: string[] = [];
    const flights: Flight[] = [];
    const runs: Run[] = [];
    const malformed: unknown[] = [];
    const overlaps: string[] = [];
    const standIns = new Set<string>();
    const { sweep, recoverWiped, recoverIdle } = createRecovery({
      prisma,
      producer: queue,
      deliveriesPerJob: DELIVERIES_PER_JOB,
      observe: { swept: () => {}, wiped: () => {} },
    });
    await recoverWiped();

    /** Until nobody does anything without being told. */
    async function still(): Promise<void> {
      do await immediate();
      while (moving > 0);
      await immediate();
    }

    function send(run: Run, claim: Claim): Promise<AttemptReport> {
      noteOverlap(claim);
      return new Promise((resolve, reject) => {
        const end: Flight['end'] = (fate) => {
          flight.isOver = true;
          flight.wasSent = fate !== 'late';
          moving += 1;
          if (fate === 'record fails') reject(new Error('Postgres is away'));
          else resolve(reportOf(fate));
        };
        const flight: Flight = { claim, leaseEndsAt: now() + LEASE_MS, run, isOver: false, wasSent: true, end };
        flights.push(flight);
        moving -= 1;
      });
    }

    /** Not thrown here: that would be an attempt whose sender failed. */
    function noteOverlap({ deliveryId }: Claim): void {
      const others = flights.filter(({ claim, isOver }) => claim.deliveryId === deliveryId && !isOver);
      if (others.some(({ leaseEndsAt }) => leaseEndsAt > now() + CLOCK_NOISE_MS)) overlaps.push(deliveryId);
    }

    function deliverOf(run: Run, claimFails: boolean): DeliverDeps & { claimed: Map<string, Claim> } {
      const claimed = new Map<string, Claim>();
      return {
        claimed,
        claim: async (job) => {
          if (claimFails) throw new Error('Postgres is away');
          const [answer] = await claimDeliveries(direct, [job], { leaseMs: LEASE_MS });
          if (answer?.verdict === 'claimed') claimed.set(job.deliveryId, answer.claim);
          return answer ?? { deliveryId: job.deliveryId, verdict: 'missing' };
        },
        hold: async () => ({ kind: 'done' }),
        noteCrowded: () => {},
        judgeEndpoint: async () => {},
        openSecrets: () => ({ secrets: ['secret'], customHeaders: {} }),
        release: (claim, due) => releaseClaim(prisma, claim, due),
        noteParked: async () => {},
        send: ({ deliveryId }) => {
          const claim = claimed.get(deliveryId);
          if (claim === undefined) throw new Error('sent without a claim');
          return send(run, claim);
        },
        record: async (record) => {
          const [answer] = await recordAttempts(prisma, [record]);
          if (answer === undefined) throw new Error('no answer');
          return run.isDead ? hang() : answer;
        },
        deactivateEndpoint: async () => false,
        observe: SILENT,
        retryBaseDelayMs: RETRY_BASE_DELAY_MS,
        leaseMs: LEASE_MS,
        now,
        random: () => 0.5,
        pause: async () => {},
      };
    }

    /** Nothing more is heard of a worker that is dead. */
    function hang(): Promise<never> {
      moving -= 1;
      return new Promise(() => {});
    }

    return {
      queue,
      ids,
      flights,
      runs,
      malformed,
      /** Deliveries that were sent while somebody else held their lease. */
      overlaps,
      /** Deliveries of a bundle that got a job of their own beside it. */
      standIns,
      still,
      rows: (): Promise<Row[]> =>
        prisma.delivery.findMany({
          where: { id: { in: ids } },
          include: { attempts: { orderBy: { number: 'asc' } } },
          orderBy: { id: 'asc' },
        }),
      async accept({ events, deliveriesPerJob, jobs }: Accept) {
        const accepted = await Promise.all(Array.from({ length: events }, () => anEvent(customerId)));
        const store = async () => {
          const answers = await acceptEvents(direct, [accepted], { maxAttempts: MAX_ATTEMPTS, deliveriesPerJob });
          return answers.flat().flatMap((one) => (one.kind === 'created' ? one.deliveries : []));
        };
        const stored = await store();
        ids.push(...stored.map(({ id }) => id));
        if (jobs === 'both') for (const { id } of stored) standIns.add(id);
        if (jobs === 'added' || jobs === 'both') await queue.addJobs(stored.map(wakeUpOf));
        // Its first answer was lost with a connection, and the same events are stored again.
        if (jobs === 'found again' || jobs === 'both') await queue.addJobs((await store()).map(wakeUpOf));
      },
      /** A worker takes the next job and claims what it carries. Answers false when there is none. */
      async begin({ claimFails, losesJobs }: { claimFails: boolean; losesJobs: boolean }) {
        const taken = queue.take();
        if (taken === undefined) return false;
        const run: Run = { taken, losesJobs, isDead: false, isOver: false };
        runs.push(run);
        const deliver = createDeliver(deliverOf(run, claimFails));
        const runJob = createRunJob({
          run: (delivery) => {
            moving += 1;
            return deliver(delivery, UNWATCHED).finally(() => {
              moving -= 1;
            });
          },
          enqueue: (wakeUps) => void (losesJobs || queue.addJobs(wakeUps)),
          onMalformedJob: (id) => malformed.push(id),
        });
        const finish = (error?: Error) => {
          run.isOver = true;
          queue.finish(taken, error);
        };
        runJob(taken.job, '').then(() => finish(), finish);
        await still();
        return true;
      },
      beat: async () => {
        await recoverWiped();
        if (!queue.jobs().some(({ state }) => state === 'waiting')) await recoverIdle();
        await sweep();
      },
      async passTime(ms: number) {
        passedMs += ms;
        queue.passTime(ms);
        await prisma.$executeRaw`
          UPDATE deliveries SET
            next_attempt_at = next_attempt_at - ${ms}::int * interval '1 ms',
            recover_at = recover_at - ${ms}::int * interval '1 ms',
            lease_expires_at = lease_expires_at - ${ms}::int * interval '1 ms'
          WHERE recover_at IS NOT NULL`;
      },
    };
  }

  async function anEvent(customer: string) {
    const createdAt = new Date();
    const [row] = await prisma.$queryRaw<{ id: string }[]>`SELECT uuidv7_at(${createdAt}::timestamptz) AS id`;
    return {
      id: row?.id ?? '',
      customerId: customer,
      eventType: 'drift.created',
      patterns: ['*'],
      driftType: 'MEAN',
      severity: 1,
      requestId: randomUUID(),
      occurredAt: createdAt.toISOString(),
      createdAt,
      body: '{}',
      idempotency: null,
    };
  }

  return {
    aWorld,
    close: async () => {
      await close();
      await fresh.drop();
    },
  };
}

function wakeUpOf({ id, generation, endpointId, jobId }: NewDelivery): DeliveryWakeUp {
  return { deliveryId: id, generation, endpointId, maxAttempts: MAX_ATTEMPTS, jobId };
}

const SILENT: DeliverDeps['observe'] = {
  attempted: () => {},
  refused: () => {},
  endpointDeactivated: () => {},
  secretUnreadable: () => {},
  withheld: () => {},
  interrupted: () => {},
};

function reportOf(fate: 200 | 500 | 410 | 'late'): AttemptReport {
  const report = { startedAt: new Date(), durationMs: 5, phases: {}, requestHeaders: {} };
  if (fate === 'late') {
    const error = 'Timed out: its time was over before it began';
    return { ...report, outcome: { kind: 'timeout', error }, response: null, error, withheld: 'late' };
  }
  const response = { status: fate, headers: {}, body: '' };
  const outcome = { kind: 'response' as const, status: fate, retryAfterMs: null };
  return { ...report, outcome, response, error: null, withheld: null };
}

const UNWATCHED = { begins: () => {}, isOver: () => {} };
