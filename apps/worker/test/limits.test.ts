import { until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { startNeighbourhood } from './neighbourhood.js';

let close = async () => {};
afterEach(() => close());

async function aWorld(endpoint: Record<string, unknown>, { workers = 2, env = {} } = {}) {
  const world = await startNeighbourhood(env, { workers, endpoint });
  close = world.close;
  return world;
}
type World = Awaited<ReturnType<typeof aWorld>>;

/** What the receiver sees: when each request came, and how many there were at once. */
function watch({ stack }: World, answerAfterMs: number) {
  const arrivals: number[] = [];
  let now = 0;
  let peak = 0;
  stack.receiver.reply(async () => {
    arrivals.push(performance.now());
    now += 1;
    peak = Math.max(peak, now);
    await new Promise((resolve) => setTimeout(resolve, answerAfterMs));
    now -= 1;
    return 200;
  });
  return { arrivals, peak: () => peak };
}

/** The most that came within a second, whenever it began. */
function busiestSecond(arrivals: readonly number[]): number {
  return Math.max(...arrivals.map((start) => arrivals.filter((at) => at >= start && at < start + 1_000).length));
}

const allDelivered = (world: World, count: number) =>
  until(async () => (await world.delivered(world.watched.customerId)) === count, { deadlineMs: 90_000 });

test('two workers and three hundred deliveries: never more at once than the endpoint takes, and no fewer than it could', async () => {
  const world = await aWorld({ max_in_flight: 4 });
  const { peak } = watch(world, 20);
  await world.post(world.watched, 300);
  await allDelivered(world, 300);
  expect(peak()).toBe(4);
  expect(await world.prisma.endpointSlot.count({ where: { deliveryId: { not: null } } })).toBe(0);
}, 120_000);

test('never more than its rate and a tenth come in any second, and most of what it allows; neighbours do not wait', async () => {
  const world = await aWorld({ max_per_second: 20 });
  const { arrivals } = watch(world, 1);
  await world.post(world.watched, 120);
  await world.post(world.neighbour, 100);
  await until(() => world.neighbours.requests.length === 100);
  expect(arrivals.length).toBeLessThan(100);
  await allDelivered(world, 120);
  expect(busiestSecond(arrivals)).toBeLessThanOrEqual(22);
  const seconds = ((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / 1_000;
  // On a busy machine some points in time are missed.
  expect(119 / seconds).toBeGreaterThan(10);
}, 120_000);

test('while it is idle an endpoint with limits gets what comes at once', async () => {
  const world = await aWorld({ max_in_flight: 2, max_per_second: 50 });
  for (let n = 0; n < 5; n += 1) {
    const [{ id }] = (await world.stack.postEvent(world.watched.customerId)).deliveries;
    expect(await world.stack.deliveryIn('success', id, { deadlineMs: 2_000 })).toMatchObject({ hold_reason: null });
  }
});

test('both workers are killed with requests in flight: their slots come back when the leases are over, and everything ends', async () => {
  const world = await aWorld({ max_in_flight: 2 }, { env: { REQUEST_TIMEOUT_MS: '1000' } });
  world.stack.receiver.reply('hang');
  await world.post(world.watched, 20);
  await until(() => world.stack.receiver.requests.length >= 2);
  for (const worker of world.stack.workers.splice(0)) worker.signal('SIGKILL');
  const { peak } = watch(world, 5);
  await world.anotherWorker();
  // Not before: what hangs at the receiver may still be worked on there.
  const { count } = await world.prisma.endpointSlot.updateMany({
    where: { deliveryId: { not: null } },
    data: { until: new Date() },
  });
  expect(count).toBeGreaterThan(0);
  await allDelivered(world, 20);
  expect(peak()).toBeLessThanOrEqual(2);
}, 180_000);

test('Redis is wiped meanwhile: the limits hold, and nothing is lost', async () => {
  const world = await aWorld({ max_in_flight: 3, max_per_second: 40 });
  const { arrivals, peak } = watch(world, 20);
  await world.post(world.watched, 150);
  await until(() => arrivals.length > 30);
  await world.stack.redis.flush();
  await allDelivered(world, 150);
  expect(peak()).toBeLessThanOrEqual(3);
  expect(busiestSecond(arrivals)).toBeLessThanOrEqual(44);
}, 120_000);

test('a limit that is set while a backlog waits holds from then on; taken away, the rest follows without', async () => {
  const world = await aWorld({ on_hold: true });
  await world.post(world.watched, 60);
  const { peak } = watch(world, 30);
  const url = `/v1/endpoints/${world.watched.endpoint.id}`;
  expect((await world.stack.api.patch(url, { on_hold: false, max_in_flight: 1 })).status).toBe(200);
  await until(() => world.delivered(world.watched.customerId).then((count) => count > 10), { deadlineMs: 30_000 });
  expect(peak()).toBe(1);
  await world.stack.api.patch(url, { max_in_flight: null });
  await allDelivered(world, 60);
}, 120_000);
