import { randomUUID } from 'node:crypto';
import { subscriptionPatterns } from '@driftwire/delivery';
// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { freshDatabase } from '@driftwire/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import {
  type AcceptLimits,
  type AttemptRecord,
  acceptEvents,
  type Claim,
  type ClaimAnswer,
  claimDeliveries,
  connectDatabase,
  DRIFTWIRE,
  type Endpoint,
  type EventToAccept,
  insertEndpoint,
  type PrismaClient,
  type RawQuery,
} from '../src/index.js';
import type { NewDelivery } from '../src/stored-events.js';

export type Setup = {
  url: string;
  prisma: PrismaClient;
  direct: RawQuery;
  aCustomer: () => Promise<string>;
  anEndpoint: (customerId: string, overrides?: Partial<Endpoint>) => Promise<Endpoint>;
  /** Events of a customer, in one statement. Answers their deliveries. */
  accept: (customerId: string, count?: number, limits?: Partial<AcceptLimits>) => Promise<NewDelivery[]>;
  /** A pending delivery of a customer and an endpoint of its own. */
  aDelivery: () => Promise<{ id: string; customerId: string; endpointId: string }>;
  /**
   * Pending deliveries of one customer, in one statement. The nth is due and has its deadline n seconds after the first.
   * Answers their ids in this order.
   */
  deliveries: (count: number, from: { dueInMs?: number; recoverInMs?: number }) => Promise<string[]>;
  /** Claims a delivery that must be claimable. With a lease of 0 ms it has run out when the next statement begins. */
  claim: (
    deliveryId: string,
    options?: { leaseMs?: number; generation?: number; isGranted?: boolean },
  ) => Promise<Claim>;
  ask: (
    deliveryId: string,
    options?: { leaseMs?: number; generation?: number; isGranted?: boolean },
  ) => Promise<ClaimAnswer>;
  delivery: (id: string) => ReturnType<typeof readDelivery>;
  /** Moves the deadline; in the past it is as if that much time had gone by. */
  setDeadline: (id: string, inMs: number) => Promise<void>;
  pause: (endpointId: string) => Promise<void>;
  /** For tests of statements that look at every delivery there is. */
  deleteDeliveries: () => Promise<void>;
  /** Locks deliveries in a session of its own, until called back. */
  lock: (...ids: string[]) => Promise<() => Promise<void>>;
  /** How many statements wait for a lock of another session. */
  waiting: () => Promise<number>;
  close: () => Promise<void>;
};

export async function setup(): Promise<Setup> {
  const { url, drop } = await freshDatabase();
  const { prisma, direct, close } = connectDatabase({
    url,
    applicationName: 'test',
    poolSize: 10,
    onConnectionLost: () => {},
  });
  const aCustomer = async () => (await prisma.customer.create({ data: { name: 'Acme' } })).id;
  const anEndpoint = async (customerId: string, overrides: Partial<Endpoint> = {}) => {
    const endpoint = await insertEndpoint(
      prisma,
      { ...endpointOf(customerId), ...overrides },
      { actor: DRIFTWIRE, limit: 1000 },
    );
    if (endpoint === null) throw new Error('no room for another endpoint');
    return endpoint;
  };
  const ask: Setup['ask'] = async (deliveryId, { leaseMs = 60_000, generation = 1, isGranted = false } = {}) => {
    const [answer] = await claimDeliveries(direct, [{ deliveryId, generation, isGranted }], { leaseMs });
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };
  const accept: Setup['accept'] = async (customerId, count = 1, limits = {}) => {
    const events = Array.from({ length: count }, () => anEvent(customerId));
    const answers = await acceptEvents(direct, [events], { maxAttempts: 3, ...limits });
    return answers.flat().flatMap((answer) => (answer.kind === 'created' ? answer.deliveries : []));
  };
  const anAcceptedEvent = async (customerId: string) => {
    const event = anEvent(customerId);
    const acceptance = (await acceptEvents(direct, [[event]], { maxAttempts: 3 }))[0]?.[0];
    return { event, deliveries: acceptance?.kind === 'created' ? acceptance.deliveries : [] };
  };
  return {
    url,
    prisma,
    direct,
    aCustomer,
    anEndpoint,
    ask,
    accept,
    async aDelivery() {
      const customerId = await aCustomer();
      const endpoint = await anEndpoint(customerId);
      const [delivery] = (await anAcceptedEvent(customerId)).deliveries;
      return { id: delivery?.id ?? '', customerId, endpointId: endpoint.id };
    },
    async deliveries(count, from) {
      const customerId = await aCustomer();
      const { event } = await anAcceptedEvent(customerId);
      const endpoint = await anEndpoint(customerId);
      return insertDeliveries(prisma, { ...from, count, eventId: event.id, endpointId: endpoint.id });
    },
    async claim(deliveryId, options) {
      const answer = await ask(deliveryId, options);
      if (answer.verdict !== 'claimed') throw new Error(`not claimed: ${answer.verdict}`);
      return answer.claim;
    },
    delivery: (id) => readDelivery(prisma, id),
    async setDeadline(id, inMs) {
      await prisma.$executeRaw`
        UPDATE deliveries SET recover_at = now() + ${inMs}::float8 * interval '1 ms' WHERE id = ${id}::uuid`;
    },
    async pause(endpointId) {
      await prisma.endpoint.update({ where: { id: endpointId }, data: { active: false, inactiveReason: 'paused' } });
    },
    async deleteDeliveries() {
      await prisma.attempt.deleteMany();
      await prisma.delivery.deleteMany();
    },
    lock: (...ids) => lockDeliveries(url, ids),
    waiting: () => waitingStatements(prisma),
    close: async () => {
      await close();
      await drop();
    },
  };
}

async function waitingStatements(prisma: PrismaClient): Promise<number> {
  const [row] = await prisma.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}

type ToInsert = {
  count: number;
  dueInMs?: number;
  recoverInMs?: number;
  eventId: string;
  endpointId: string;
};

async function insertDeliveries(
  prisma: PrismaClient,
  { count, dueInMs = 0, recoverInMs = 5_000, eventId, endpointId }: ToInsert,
): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ id: string; recover_at: Date }[]>`
    INSERT INTO deliveries
      (id, customer_id, event_id, endpoint_id, event_type, max_attempts, next_attempt_at, recover_at, created_at)
    SELECT uuidv7_at(event.created_at), event.customer_id, event.id, ${endpointId}::uuid, event.event_type, 3,
      now() + ${dueInMs}::float8 * interval '1 ms' + nth * interval '1 s',
      now() + ${recoverInMs}::float8 * interval '1 ms' + nth * interval '1 s', event.created_at
    FROM generate_series(0, ${count - 1}::int) AS nth, drift_events event WHERE event.id = ${eventId}::uuid
    RETURNING id, recover_at`;
  return rows.sort((a, b) => a.recover_at.getTime() - b.recover_at.getTime()).map(({ id }) => id);
}

async function lockDeliveries(url: string, ids: readonly string[]): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM deliveries WHERE id = ANY($1::uuid[]) FOR UPDATE', [ids]);
  return () => client.end();
}

function readDelivery(prisma: PrismaClient, id: string) {
  return prisma.delivery.findUniqueOrThrow({ where: { id }, include: { attempts: { orderBy: { number: 'asc' } } } });
}

function endpointOf(customerId: string) {
  const id = randomUUID();
  return {
    id,
    customerId,
    name: `endpoint ${id}`,
    url: 'https://receiver.example/in',
    eventTypes: ['*'],
    minSeverity: null,
    active: true,
    inactiveReason: null,
    onHold: false,
    maxInFlight: null,
    maxPerSecond: null,
    secretSealed: 'sealed secret',
    headerNames: [],
    headersSealed: null,
  };
}

export function anEvent(customerId: string, overrides: Partial<EventToAccept> = {}): EventToAccept {
  const { createdAt = new Date() } = overrides;
  return {
    id: uuidv7({ msecs: createdAt.getTime() }),
    customerId,
    eventType: 'drift.created',
    patterns: subscriptionPatterns(overrides.eventType ?? 'drift.created'),
    driftType: 'MEAN',
    severity: 0.5,
    requestId: randomUUID(),
    occurredAt: createdAt.toISOString(),
    createdAt,
    body: '{"event_type":"drift.created","data":{},"metadata":{}}',
    idempotency: null,
    ...overrides,
  };
}

/** The record of a claimed attempt; a 200 unless told otherwise. */
export function aRecord(claim: Claim, overrides: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    deliveryId: claim.deliveryId,
    number: claim.fence,
    round: claim.round,
    startedAt: new Date(),
    durationMs: 12.5,
    phases: { first_byte: 10 },
    requestHeaders: { 'X-Webhook-Attempt': `${claim.fence}` },
    outcome: 'response',
    response: { status: 200, headers: { 'x-a': ['1', '2'] }, body: 'ok' },
    error: null,
    transition: { to: 'success' },
    ...overrides,
  };
}

const response = (status: number) => ({ status, headers: {}, body: '' });

export const toRetry = (delayMs = 1000) =>
  ({ response: response(500), transition: { to: 'retrying', delayMs } }) as const;

export const toFailed = (reason: 'exhausted' | 'gone' | 'blocked' = 'exhausted') =>
  ({ response: response(500), transition: { to: 'failed', reason } }) as const;
