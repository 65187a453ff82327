import { randomUUID } from 'node:crypto';
import { subscriptionPatterns } from '@driftwire/delivery';
// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { freshDatabase } from '@driftwire/testing';
import {
  type AttemptRecord,
  acceptEvents,
  type Claim,
  type ClaimAnswer,
  claimDeliveries,
  connectDatabase,
  type Endpoint,
  type EventToAccept,
  insertEndpoint,
  type PrismaClient,
} from '../src/index.js';

export type Setup = {
  url: string;
  prisma: PrismaClient;
  aCustomer: () => Promise<string>;
  anEndpoint: (customerId: string, overrides?: Partial<Endpoint>) => Promise<Endpoint>;
  /** A pending delivery of a customer and an endpoint of its own. */
  aDelivery: () => Promise<{ id: string; customerId: string; endpointId: string }>;
  /** Claims a delivery that must be claimable. With a lease of 0 ms it has run out when the next statement begins. */
  claim: (deliveryId: string, options?: { leaseMs?: number; generation?: number }) => Promise<Claim>;
  ask: (deliveryId: string, options?: { leaseMs?: number; generation?: number }) => Promise<ClaimAnswer>;
  delivery: (id: string) => ReturnType<typeof readDelivery>;
  /** How many statements wait for a lock of another session. */
  waiting: () => Promise<number>;
  close: () => Promise<void>;
};

export async function setup(): Promise<Setup> {
  const { url, drop } = await freshDatabase();
  const { prisma, close } = connectDatabase({
    url,
    applicationName: 'test',
    poolSize: 10,
    onConnectionLost: () => {},
  });
  const aCustomer = async () => (await prisma.customer.create({ data: { name: 'Acme' } })).id;
  const anEndpoint = async (customerId: string, overrides: Partial<Endpoint> = {}) => {
    const endpoint = await insertEndpoint(prisma, { ...endpointOf(customerId), ...overrides }, { limit: 1000 });
    if (endpoint === null) throw new Error('no room for another endpoint');
    return endpoint;
  };
  const ask: Setup['ask'] = async (deliveryId, { leaseMs = 60_000, generation = 1 } = {}) => {
    const [answer] = await claimDeliveries(prisma, [{ deliveryId, generation }], { leaseMs });
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };
  return {
    url,
    prisma,
    aCustomer,
    anEndpoint,
    ask,
    async aDelivery() {
      const customerId = await aCustomer();
      const endpoint = await anEndpoint(customerId);
      const [acceptance] = await acceptEvents(prisma, [anEvent(customerId)], { maxAttempts: 3 });
      const [delivery] = acceptance?.kind === 'created' ? acceptance.deliveries : [];
      return { id: delivery?.id ?? '', customerId, endpointId: endpoint.id };
    },
    async claim(deliveryId, options) {
      const answer = await ask(deliveryId, options);
      if (answer.verdict !== 'claimed') throw new Error(`not claimed: ${answer.verdict}`);
      return answer.claim;
    },
    delivery: (id) => readDelivery(prisma, id),
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
    secretSealed: 'sealed secret',
    headerNames: [],
    headersSealed: null,
  };
}

export function anEvent(customerId: string, overrides: Partial<EventToAccept> = {}): EventToAccept {
  const createdAt = new Date();
  return {
    id: randomUUID(),
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
    customerId: claim.customerId,
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
