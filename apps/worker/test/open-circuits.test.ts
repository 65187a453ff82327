import { until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { type Served, startNeighbourhood } from './neighbourhood.js';
import { preload } from './preloads.js';

let close = async () => {};
afterEach(() => close());

/** A retry delay of 30 times the wait for the first probe, as by default four times; what lasts minutes there lasts a moment here. */
const QUICK = { RETRY_BASE_DELAY_MS: '2000', CIRCUIT_AFTER_MS: '300', CIRCUIT_PROBE_MS: '300' };

type World = Awaited<ReturnType<typeof startNeighbourhood>>;

async function aWorld(env: Record<string, string> = {}, options = {}): Promise<World> {
  const world = await startNeighbourhood({ ...QUICK, ...env }, options);
  close = world.close;
  return world;
}

const flowOf = ({ prisma }: World, { endpoint }: Served) =>
  prisma.endpointFlow.findUnique({ where: { endpointId: endpoint.id } });
const isOpen = async (world: World) => (await flowOf(world, world.watched))?.circuitOpenedAt != null;
const auditOf = async ({ prisma }: World, { endpoint }: Served) => {
  const where = { subjectId: endpoint.id, action: { startsWith: 'endpoint.circuit' } };
  return (await prisma.auditLine.findMany({ where, orderBy: { id: 'asc' } })).map(({ action }) => action);
};

/** Until its circuit is open: the receiver fails whatever it is sent. */
async function opened(world: World): Promise<void> {
  world.stack.receiver.reply(500);
  await until(async () => {
    if (await isOpen(world)) return true;
    await world.post(world.watched, 4);
    return false;
  });
}

/** The same, and until no request is out that was claimed before: what comes now are probes. */
async function openedAndQuiet(world: World): Promise<void> {
  await opened(world);
  const where = { endpointId: world.watched.endpoint.id, leaseExpiresAt: { not: null } };
  await until(async () => (await world.prisma.delivery.count({ where })) === 0);
}

test('an outage costs waiting, not attempts: few requests, one probe at a time, and all are delivered after it', async () => {
  const world = await aWorld();
  const { stack, watched } = world;
  await opened(world);
  const before = stack.receiver.requests.length;
  for (let batch = 0; batch < 10; batch += 1) await world.post(watched, 20);
  await until(async () => stack.receiver.requests.length >= before + 3);
  expect(stack.receiver.requests.length).toBeLessThan(before + 10);
  const all = await world.prisma.delivery.count({ where: { customerId: watched.customerId } });
  expect(await world.prisma.delivery.count({ where: { failureReason: 'exhausted' } })).toBe(0);
  expect(await world.held(watched.endpoint.id)).toBeGreaterThan(190);

  const { peak } = countAtOnce(world);
  await until(async () => (await world.delivered(watched.customerId)) === all, { deadlineMs: 60_000 });
  expect(peak()).toBeGreaterThan(1);
  expect(await isOpen(world)).toBe(false);
  expect(await auditOf(world, watched)).toEqual(['endpoint.circuit_opened', 'endpoint.circuit_closed']);
  // What comes now does not wait.
  const [fresh] = (await stack.postEvent(watched.customerId)).deliveries;
  expect(await stack.deliveryIn('success', fresh.id)).toMatchObject({ hold_reason: null });
}, 120_000);

/** Answers 200 after a moment. `peak`: so many requests there were at once. */
function countAtOnce({ stack }: World) {
  let now = 0;
  let peak = 0;
  stack.receiver.reply(async () => {
    now += 1;
    peak = Math.max(peak, now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    now -= 1;
    return 200;
  });
  return { peak: () => peak };
}

test('the return is gentle: the first that follow the probe go out one, two, four at a time', async () => {
  const world = await aWorld();
  const { stack, watched } = world;
  await opened(world);
  await world.post(watched, 100);
  const starts: number[] = [];
  let now = 0;
  stack.receiver.reply(async () => {
    now += 1;
    starts.push(now);
    await new Promise((resolve) => setTimeout(resolve, 50));
    now -= 1;
    return 200;
  });
  await until(async () => starts.length > 60);
  expect(starts[0]).toBe(1);
  expect(Math.max(...starts.slice(0, 4))).toBeLessThanOrEqual(3);
  expect(Math.max(...starts.slice(0, 12))).toBeLessThanOrEqual(8);
}, 60_000);

test('isolated failures are what they were: three 500s end a delivery, and 500, 500, 200 deliver it', async () => {
  const world = await aWorld({ RETRY_BASE_DELAY_MS: '100', CIRCUIT_AFTER_MS: '0' });
  const { stack, watched } = world;
  stack.receiver.reply([500, 500, 500, 500, 500, 200]);
  const [first] = (await stack.postEvent(watched.customerId)).deliveries;
  expect(await stack.deliveryIn('failed', first.id)).toMatchObject({ failure_reason: 'exhausted', attempt_count: 3 });
  const [second] = (await stack.postEvent(watched.customerId)).deliveries;
  expect(await stack.deliveryIn('success', second.id)).toMatchObject({ attempt_count: 3 });
  expect(await isOpen(world)).toBe(false);
});

test('without circuits attempts are spent as ever; circuits that are open are closed', async () => {
  const world = await aWorld();
  const { stack, watched } = world;
  await opened(world);
  for (const worker of stack.workers.splice(0)) await worker.stop();
  const env = { CIRCUIT_BREAKER: 'false', RETRY_BASE_DELAY_MS: '50' };
  await world.anotherWorker(env);
  await world.post(watched, 40);
  await until(async () => (await world.ended(watched.customerId)) === (await world.prisma.delivery.count()), {
    deadlineMs: 60_000,
  });
  expect(await isOpen(world)).toBe(false);
  const [fresh] = (await stack.postEvent(watched.customerId)).deliveries;
  expect(await stack.deliveryIn('failed', fresh.id)).toMatchObject({ failure_reason: 'exhausted', attempt_count: 3 });
}, 90_000);

test('four that time out are enough, and a hundred of a neighbour are served meanwhile', async () => {
  const world = await aWorld({ REQUEST_TIMEOUT_MS: '1000', CIRCUIT_AFTER_MS: '60000', CIRCUIT_PROBE_MS: '60000' });
  const { stack, watched, neighbour, neighbours } = world;
  stack.receiver.reply('hang');
  await world.post(watched, 200);
  await world.post(neighbour, 100);
  await until(() => neighbours.requests.length === 100);
  await until(() => isOpen(world));
  expect(await world.ended(watched.customerId)).toBe(0);
}, 60_000);

test('the worker that has sent the probe is killed: the next probe comes from another, and closes the circuit', async () => {
  const world = await aWorld({ REQUEST_TIMEOUT_MS: '2000' });
  const { stack, watched } = world;
  await openedAndQuiet(world);
  stack.receiver.reply('hang');
  const before = stack.receiver.requests.length;
  await until(() => stack.receiver.requests.length > before);
  stack.workers.splice(0)[0]?.signal('SIGKILL');
  // As if the lease of the probe were over: it lasts for twenty seconds more than a request.
  await world.prisma
    .$executeRaw`UPDATE endpoint_flow SET probe_until = now() + interval '1 s' WHERE probe_until IS NOT NULL`;
  stack.receiver.reply(200);
  await world.anotherWorker();
  await until(async () => !(await isOpen(world)), { deadlineMs: 60_000 });
  const all = await world.prisma.delivery.count();
  await until(async () => (await world.delivered(watched.customerId)) === all, { deadlineMs: 90_000 });
}, 180_000);

test('the worker that has sent the probe is frozen for longer than its lease: until that is over no other is sent, and what it says later changes nothing', async () => {
  const world = await aWorld({ REQUEST_TIMEOUT_MS: '1000' });
  const { stack, watched } = world;
  await openedAndQuiet(world);
  stack.receiver.reply('hang');
  const before = stack.receiver.requests.length;
  await until(() => stack.receiver.requests.length > before);
  const frozenAt = performance.now();
  const [frozen] = stack.workers;
  frozen?.signal('SIGSTOP');
  stack.receiver.reply(200);
  await world.anotherWorker();
  await until(() => stack.receiver.requests.length > before + 1, { deadlineMs: 60_000 });
  // The lease: the timeout, and twenty seconds.
  expect(performance.now() - frozenAt).toBeGreaterThan(20_500);
  await until(async () => !(await isOpen(world)));
  frozen?.signal('SIGCONT');
  const all = await world.prisma.delivery.count();
  await until(async () => (await world.delivered(watched.customerId)) === all, { deadlineMs: 60_000 });
  expect(await auditOf(world, watched)).toEqual(['endpoint.circuit_opened', 'endpoint.circuit_closed']);
}, 150_000);

test('a worker whose clock is ten minutes ahead opens and closes a circuit at the times of everybody else', async () => {
  const clock = { NODE_OPTIONS: preload('shifted-clock'), CLOCK_SHIFT_MS: '600000', CLOCK_SHIFTS: 'from the start' };
  const world = await aWorld({}, { workers: 0 });
  await world.anotherWorker(clock);
  const { stack, watched } = world;
  await opened(world);
  const { body } = await stack.api.get(`/v1/endpoints/${watched.endpoint.id}`);
  expect(body.circuit.state).not.toBe('closed');
  expect(Math.abs(Date.parse(body.circuit.since) - Date.now())).toBeLessThan(10_000);
  const next = (await flowOf(world, watched))?.nextProbeAt;
  expect(Math.abs(Number(next) - Date.now())).toBeLessThan(10_000);
  await world.post(watched, 5);
  stack.receiver.reply(200);
  await until(async () => !(await isOpen(world)), { deadlineMs: 20_000 });
}, 60_000);

test('an endpoint that answers one worker keeps its circuit, whatever another sees of it', async () => {
  const world = await aWorld();
  const { stack, watched } = world;
  stack.receiver.reply(async () => {
    await new Promise((resolve) => setTimeout(resolve, 250));
    return 200;
  });
  const answered = async () => {
    await world.post(watched, 10);
    return (await world.delivered(watched.customerId)) > 0;
  };
  await until(answered);
  // It answers all the while: that is what the second worker's failures are measured against.
  let isStarted = false;
  const started = world.anotherWorker({ REQUEST_TIMEOUT_MS: '200' }).then(() => (isStarted = true));
  await until(async () => (await answered()) && isStarted, { deadlineMs: 30_000 });
  await started;
  const timedOut = () => world.prisma.attempt.count({ where: { outcome: 'timeout' } });
  await until(
    async () => {
      await world.post(watched, 10);
      return (await timedOut()) > 40 && (await world.delivered(watched.customerId)) > 40;
    },
    { deadlineMs: 60_000 },
  );
  expect(await auditOf(world, watched)).toEqual([]);
}, 90_000);
