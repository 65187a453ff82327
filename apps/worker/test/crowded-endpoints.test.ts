import { until } from '@driftwire/testing';
import { afterEach, expect, test } from '@jest/globals';
import { startNeighbourhood } from './neighbourhood.js';

let close = async () => {};
afterEach(() => close());

const PLACES = 12;

test('beside a receiver that never answers, everybody else is served; what waits for it is held, and follows when it answers', async () => {
  const world = await aStackWithNeighbour({ REQUEST_TIMEOUT_MS: '8000' });
  const { stack, hanging, neighbour } = world;
  stack.receiver.reply('hang');
  await world.post(hanging, 300);
  await until(() => world.held(hanging.endpoint.id).then((count) => count > 250));
  await world.post(neighbour, 50);
  await until(() => world.neighbours.requests.length === 50);

  // Not one of them had to wait for the end of a request that hangs.
  expect(await world.ended(hanging.customerId)).toBe(0);
  expect(stack.receiver.requests.length).toBeLessThan(PLACES);

  stack.receiver.reply(200);
  await until(() => world.ended(hanging.customerId).then((count) => count >= 290), { deadlineMs: 60_000 });
  await until(() => world.held(hanging.endpoint.id).then((count) => count === 0));
}, 120_000);

test('behind a flood for a receiver that takes its time, others are served meanwhile, and the flood in its order', async () => {
  const world = await aStackWithNeighbour();
  const { stack, hanging: slow, neighbour } = world;
  stack.receiver.reply(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return 200;
  });
  // Those of one batch are of one millisecond, and in no order.
  const batches: string[][] = [];
  while (batches.length < 20) batches.push(await world.post(slow, 20));
  await until(() => world.held(slow.endpoint.id).then((count) => count > 100));
  await world.post(neighbour, 50);
  await until(() => world.neighbours.requests.length === 50);
  expect(await world.ended(slow.customerId)).toBeLessThan(300);

  await until(() => world.ended(slow.customerId).then((count) => count === 400), { deadlineMs: 60_000 });
  const order = stack.receiver.requests.map(({ headers }) =>
    batches.findIndex((ids) => ids.includes(`${headers['webhook-id']}`)),
  );
  expect(order).toHaveLength(400);
  const farthest = Math.max(...order.map((position, index) => Math.abs(position - Math.floor(index / 20))));
  expect(farthest).toBeLessThan(4);
}, 120_000);

test('an endpoint that is paused while deliveries are held for it: they end', async () => {
  const world = await aStackWithNeighbour({ REQUEST_TIMEOUT_MS: '8000' });
  const { stack, hanging } = world;
  stack.receiver.reply('hang');
  await world.post(hanging, 200);
  await until(() => world.held(hanging.endpoint.id).then((count) => count > 150));
  await stack.api.patch(`/v1/endpoints/${hanging.endpoint.id}`, { active: false });
  await until(() => world.held(hanging.endpoint.id).then((count) => count === 0));
  const { body } = await stack.api.get('/v1/deliveries?status=cancelled&limit=100');
  expect(body.data[0]).toMatchObject({ failure_reason: 'endpoint_inactive', hold_reason: null });
}, 60_000);

test('an endpoint on hold gets nothing, what is accepted for it waits, and follows when it is taken off', async () => {
  const world = await aStackWithNeighbour({ RETRY_BASE_DELAY_MS: '1000' });
  const { stack, hanging: served } = world;
  stack.receiver.reply([500, 200]);
  const [retried] = (await stack.postEvent(served.customerId)).deliveries;
  await stack.deliveryIn('retrying', retried.id);
  const put = await stack.api.patch(`/v1/endpoints/${served.endpoint.id}`, { on_hold: true });
  expect(put).toMatchObject({ status: 200, body: { on_hold: true, active: true } });
  const [waiting] = (await stack.postEvent(served.customerId)).deliveries;
  await until(() => world.held(served.endpoint.id).then((count) => count === 2));
  const { body } = await stack.api.get(`/v1/deliveries/${waiting.id}`);
  expect(body).toMatchObject({ status: 'pending', hold_reason: 'on_hold', next_attempt_at: null });
  expect((await stack.api.get(`/v1/deliveries/${retried.id}`)).body).toMatchObject({
    status: 'retrying',
    hold_reason: 'on_hold',
  });
  expect(stack.receiver.requests).toHaveLength(1);
  const ofEndpoint = `/v1/deliveries?endpoint_id=${served.endpoint.id}`;
  expect((await stack.api.get(`${ofEndpoint}&held=true`)).body.data).toHaveLength(2);
  expect((await stack.api.get(`${ofEndpoint}&hold_reason=on_hold&status=retrying`)).body.data).toHaveLength(1);
  expect((await stack.api.get(`${ofEndpoint}&held=false`)).body.data).toEqual([]);
  expect((await stack.api.get(`${ofEndpoint}&held=maybe`)).status).toBe(400);

  await stack.api.patch(`/v1/endpoints/${served.endpoint.id}`, { on_hold: false });
  for (const { id } of [retried, waiting]) {
    expect(await stack.deliveryIn('success', id)).toMatchObject({ hold_reason: null });
  }
  expect(stack.receiver.requests).toHaveLength(3);
});

test('a worker that holds is killed: what it held is found by the next, and everything ends', async () => {
  const world = await aStackWithNeighbour({ REQUEST_TIMEOUT_MS: '2000' });
  const { stack, hanging } = world;
  stack.receiver.reply('hang');
  await world.post(hanging, 200);
  await until(() => world.held(hanging.endpoint.id).then((count) => count > 150));
  stack.workers[0]?.signal('SIGKILL');
  stack.receiver.reply(200);
  await world.anotherWorker();
  await until(() => world.ended(hanging.customerId).then((count) => count === 200), { deadlineMs: 90_000 });
  expect(await world.held(hanging.endpoint.id)).toBe(0);
}, 120_000);

test('an event that comes later goes before a flood, whose receiver is fast', async () => {
  const world = await aStackWithNeighbour({}, { workers: 0 });
  const { stack, hanging: flooded, neighbour } = world;
  await world.post(flooded, 400);
  await world.post(neighbour, 5);
  stack.receiver.reply(async () => {
    arrivals.push('flooded');
    return 200;
  });
  const arrivals: string[] = [];
  world.neighbours.reply(async () => {
    arrivals.push('neighbour');
    return 200;
  });
  await world.anotherWorker();
  await until(() => arrivals.length === 405);
  // The first of the flood are like everybody's, and a worker has begun some more.
  expect(arrivals.lastIndexOf('neighbour')).toBeLessThan(100);
});

async function aStackWithNeighbour(env: Record<string, string> = {}, { workers = 1 } = {}) {
  const world = await startNeighbourhood({ WORKER_CONCURRENCY: `${PLACES}`, ...env }, { workers });
  close = world.close;
  return { ...world, hanging: world.watched };
}
