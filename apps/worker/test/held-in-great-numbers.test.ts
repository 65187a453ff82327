import { until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { startNeighbourhood } from './neighbourhood.js';

let close = async () => {};
afterEach(() => close());

const MANY = 100_000;
const A_MINUTE = { deadlineMs: 90_000 };

/** With a hundred thousand held for the watched endpoint, whose circuit is open and is not asked for an hour. */
async function aWorld() {
  const world = await startNeighbourhood();
  close = world.close;
  const { stack, prisma, watched } = world;
  const { id: endpointId } = watched.endpoint;
  await prisma.endpointFlow.create({
    data: {
      ...{ endpointId, customerId: watched.customerId, circuitOpenedAt: new Date(), circuitFailures: 10 },
      ...{ nextProbeAt: new Date(Date.now() + 3_600_000), probeWaitMs: 600_000 },
    },
  });
  await stack.postEvent(watched.customerId);
  // An event's deliveries have ids of its millisecond.
  await prisma.$executeRaw`
    INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, max_attempts, hold_reason, held_since, created_at)
    SELECT uuidv7_at(created_at), customer_id, event_id, endpoint_id, event_type, 3, 'circuit_open', now(), created_at
    FROM deliveries, generate_series(2, ${MANY}::int)`;
  const url = `/v1/endpoints/${endpointId}`;
  return {
    ...world,
    change: async (body: object) => expect((await stack.api.patch(url, body)).status).toBe(200),
    remove: async () => expect((await stack.api.delete(url)).status).toBe(204),
    heldNow: () => world.held(endpointId),
    /** A neighbour's event, from the request to its arrival. */
    async neighboursWait(): Promise<number> {
      const before = world.neighbours.requests.length;
      const postedAt = performance.now();
      await stack.postEvent(world.neighbour.customerId);
      await until(() => world.neighbours.requests.length > before);
      return performance.now() - postedAt;
    },
  };
}

test.each([
  ['deactivated', 'endpoint_inactive' as const],
  ['deleted', 'endpoint_deleted' as const],
])(
  'an endpoint is %s while a hundred thousand are held for it: they end, and others are served',
  async (what, reason) => {
    const world = await aWorld();
    await (what === 'deleted' ? world.remove() : world.change({ active: false }));
    const waits: number[] = [];
    await until(async () => {
      waits.push(await world.neighboursWait());
      return (await world.heldNow()) === 0;
    }, A_MINUTE);
    expect(await world.prisma.delivery.count({ where: { status: 'cancelled', failureReason: reason } })).toBe(MANY);
    expect(Math.max(...waits)).toBeLessThan(5_000);
    expect(world.stack.receiver.requests).toEqual([]);
  },
  180_000,
);

test('an endpoint is moved while a hundred thousand are held for it: its circuit is closed, and they go to the new address, the oldest first', async () => {
  const world = await aWorld();
  const { prisma, stack, watched, neighbours } = world;
  const [oldest] = await prisma.delivery.findMany({
    where: { endpointId: watched.endpoint.id },
    orderBy: { id: 'asc' },
    take: 1,
  });
  await world.change({ url: neighbours.url });
  await until(() => neighbours.requests.length >= 500, A_MINUTE);
  expect(stack.receiver.requests).toEqual([]);
  expect(await prisma.delivery.findUnique({ where: { id: oldest?.id ?? '' } })).toMatchObject({ status: 'success' });
  expect(await prisma.auditLine.count({ where: { action: 'endpoint.circuit_closed' } })).toBe(1);
}, 180_000);

test('an endpoint is put on hold while a hundred thousand are held for it: nothing is sent until that is over, nor probed', async () => {
  const world = await aWorld();
  const { stack } = world;
  await world.change({ on_hold: true });
  await stack.api.post(`/v1/endpoints/${world.watched.endpoint.id}/close-circuit`, {});
  // Two of these are held longer than a look is away: by the last, a worker has looked twice.
  for (let look = 0; look < 3; look += 1) await aLook(world);
  expect(stack.receiver.requests).toEqual([]);
  expect(await world.heldNow()).toBe(MANY);
  await world.change({ on_hold: false });
  await until(() => stack.receiver.requests.length >= 200, A_MINUTE);
}, 180_000);

/** A delivery of another endpoint that is held and found by a look, so that one has been made since. */
async function aLook({
  prisma,
  neighbour,
  neighboursWait,
  neighbours,
}: Awaited<ReturnType<typeof aWorld>>): Promise<void> {
  await neighboursWait();
  const before = neighbours.requests.length;
  await prisma.$executeRaw`
    INSERT INTO deliveries (id, customer_id, event_id, endpoint_id, event_type, max_attempts, hold_reason, held_since, created_at)
    SELECT uuidv7_at(created_at), customer_id, event_id, endpoint_id, event_type, 3, 'crowded', now(), created_at
    FROM deliveries WHERE endpoint_id = ${neighbour.endpoint.id}::uuid LIMIT 1`;
  await until(() => neighbours.requests.length > before);
}

test('Redis is wiped while a hundred thousand are held: it stays small, and nothing happens to them', async () => {
  const world = await aWorld();
  const { redis } = world.stack;
  await redis.flush();
  expect(await world.neighboursWait()).toBeLessThan(20_000);
  expect(await redis.redis.dbsize()).toBeLessThan(50);
  expect(await world.heldNow()).toBe(MANY);
}, 180_000);
