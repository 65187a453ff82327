import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type ApiAnswer,
  aDriftEvent,
  apiClient,
  startApi,
  startWorker,
  type TestProcess,
  until,
} from '@driftwire/testing';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { header } from './delivery.js';
import { earlierVersion } from './earlier-version.js';
import { openDatabase } from './open-database.js';
import { aStack, cleanUp, cleanups } from './own-stacks.js';

// Ours and the version before, whose jobs carried one delivery each, on one database (migrated to ours) and one Redis. The orders
// are those of the README. Nothing is killed here, so every attempt is one request.

const RELEASE_HELD = fileURLToPath(new URL('../dist/release-held-cli.js', import.meta.url));

let earlier: string;
beforeAll(async () => {
  earlier = await earlierVersion();
}, 600_000);
afterEach(cleanUp, 60_000);

/** Events that each step of a roll sees at least. */
const STEP = 100;
/** Long enough for several sweeps, and a small part of a grace that was missed. */
const ALL_ENDED_WITHIN_MS = 60_000;

test('rolled forward under load, workers first: every attempt is one request, and everything ends', async () => {
  const at = await aScene();
  const oldApi = await at.api(earlier);
  const oldWorkers = [await at.worker(earlier), await at.worker(earlier)];
  const load = await at.load(oldApi);
  await load.more(STEP);
  await at.worker();
  await load.more(STEP);
  for (const worker of oldWorkers) expect(await worker.stop()).toBe(0);
  await load.more(STEP);
  load.goTo(await at.api());
  expect(await oldApi.stop()).toBe(0);
  await load.more(STEP);
  await at.expectOneRequestForEachAttempt(await load.stop());
  expect(await at.bundled()).toBeGreaterThan(0);
}, 180_000);

test('rolled back under load, APIs first: every attempt is one request, and everything ends', async () => {
  const at = await aScene();
  const newApi = await at.api();
  const newWorker = await at.worker();
  const load = await at.load(newApi);
  await load.more(STEP);
  load.goTo(await at.api(earlier));
  expect(await newApi.stop()).toBe(0);
  await load.more(STEP);
  await at.worker(earlier);
  await load.more(STEP);
  expect(await newWorker.stop()).toBe(0);
  await load.more(STEP);
  await at.expectOneRequestForEachAttempt(await load.stop());
  expect(await at.bundled()).toBeGreaterThan(0);
}, 180_000);

test('bundles that wait when only earlier workers are left: all of their deliveries come within a minute', async () => {
  const at = await aScene();
  const load = await at.load(await at.api());
  await load.more(5 * STEP);
  const posted = await load.stop();
  await at.worker(earlier);
  await at.expectOneRequestForEachAttempt(posted);
}, 180_000);

test('jobs of the version before that wait, and those it had put off, are run by ours', async () => {
  const at = await aScene();
  const load = await at.load(await at.api(earlier));
  await load.more(STEP);
  const oldWorker = await at.worker(earlier);
  await until(() => at.receiver.requests.length > 0);
  await load.more(STEP);
  const posted = await load.stop();
  expect(await oldWorker.stop()).toBe(0);
  await at.worker();
  await at.expectOneRequestForEachAttempt(posted);
  expect(await at.replaced()).toBe(0);
}, 180_000);

test('what circuits, limits and shares hold when our workers go is let go by release-held, and delivered by earlier ones', async () => {
  const at = await aScene();
  const answer = at.hang();
  const load = await at.load(await at.api());
  await load.limitOne();
  const worker = await at.worker();
  await until(() => at.openCircuits().then((count) => count > 0), { deadlineMs: 60_000 });
  const posted = await load.stop();
  expect(await at.held()).toBeGreaterThan(STEP);
  await worker.stop();
  answer();
  const { stdout } = await promisify(execFile)(process.execPath, [RELEASE_HELD], { env: { DATABASE_URL: at.url } });
  expect(stdout).toMatch(/\d+ deliveries let go; none is held\./);
  await at.worker(earlier);
  await until(() => at.ended().then((count) => count === posted.length), { deadlineMs: 2 * ALL_ENDED_WITHIN_MS });
  expect(await at.prisma.endpointFlow.count({ where: { crowdedAt: { not: null } } })).toBe(0);
  expect(await at.openCircuits()).toBe(0);
}, 240_000);

test('rolled forward while circuits are open and limits hold: everything ends when the receiver is back', async () => {
  const at = await aScene();
  const answer = at.hang();
  const load = await at.load(await at.api());
  await load.limitOne();
  await at.worker();
  const oldWorker = await at.worker(earlier);
  await until(() => at.openCircuits().then((count) => count > 0), { deadlineMs: 60_000 });
  const posted = await load.stop();
  expect(await at.held()).toBeGreaterThan(0);
  answer();
  expect(await oldWorker.stop()).toBe(0);
  await until(() => at.ended().then((count) => count === posted.length), { deadlineMs: 2 * ALL_ENDED_WITHIN_MS });
  expect([await at.held(), await at.openCircuits()]).toEqual([0, 0]);
}, 240_000);

/** A customer with three endpoints at one receiver, which refuses some deliveries once, twice or always. */
async function aScene() {
  const stack = await aStack({ apis: 0, workers: 0 });
  const database = openDatabase(stack);
  const { receiver } = stack;
  cleanups.push(database.close);
  const requests = new Map<string, number>();
  let answers = Promise.resolve();
  receiver.reply(async (request) => {
    await answers;
    const id = header(request, 'x-webhook-delivery-id');
    const count = (requests.get(id) ?? 0) + 1;
    requests.set(id, count);
    return count > refusals(id) ? 200 : 500;
  });
  const workers: TestProcess[] = [];
  const start = async (one: typeof startApi, root?: string) => {
    const options = {
      databaseUrl: stack.database.url,
      redisUrl: stack.redis.url,
      env: { REQUEST_TIMEOUT_MS: '15000', CIRCUIT_PROBE_MS: '1000' },
    };
    const started = await one(root === undefined ? options : { ...options, root });
    cleanups.push(started.stop);
    return started;
  };
  return {
    receiver,
    url: stack.database.url,
    prisma: database.prisma,
    /** Nothing is answered until called back. */
    hang: () => {
      let answer = () => {};
      answers = new Promise((resolve) => {
        answer = resolve;
      });
      return answer;
    },
    held: () => database.prisma.delivery.count({ where: { holdReason: { not: null } } }),
    openCircuits: () => database.prisma.endpointFlow.count({ where: { circuitOpenedAt: { not: null } } }),
    ended: () => database.prisma.delivery.count({ where: { completedAt: { not: null } } }),
    api: (root?: string) => start(startApi, root),
    worker: async (root?: string) => {
      const worker = await start(startWorker, root);
      workers.push(worker);
      return worker;
    },
    load: async (api: TestProcess) => {
      const load = await startLoad(api, receiver.url);
      cleanups.push(() => load.stop().catch(() => {}));
      return load;
    },
    /** Deliveries with a second job. */
    replaced: () => database.prisma.delivery.count({ where: { generation: { gt: 1 } } }),
    bundled: () => database.prisma.delivery.count({ where: { jobId: { not: null } } }),
    async expectOneRequestForEachAttempt(posted: readonly string[]) {
      const isEnded = { completedAt: { not: null } };
      await until(async () => (await database.prisma.delivery.count({ where: isEnded })) === posted.length, {
        deadlineMs: ALL_ENDED_WITHIN_MS,
      });
      const rows = await database.prisma.delivery.findMany({ select: { id: true, status: true } });
      const statuses = new Map(rows.map(({ id, status }) => [id, status]));
      expect(statuses).toEqual(new Map(posted.map((id) => [id, refusals(id) < 3 ? 'success' : 'failed'])));
      expect(requests).toEqual(new Map(posted.map((id) => [id, Math.min(refusals(id) + 1, 3)])));
      expect(workers.map((worker) => linesWith(worker, 'delivery.attempted').length)).not.toContain(0);
      expect(workers.flatMap((worker) => linesWith(worker, 'job.malformed'))).toEqual([]);
    },
  };
}

const CALLERS = 2;
const PAUSE_MS = 50;

/** Events one by one and five at a time, until it is stopped. */
async function startLoad({ url }: TestProcess, receiverUrl: string) {
  let api = apiClient(url);
  const { body: customer } = await api.post('/v1/customers', { name: 'Acme' });
  const endpointIds: string[] = [];
  for (const name of ['first', 'second', 'third']) {
    const endpoint = { customer_id: customer.id, name, url: `${receiverUrl}/${name}` };
    endpointIds.push((await api.post('/v1/endpoints', endpoint)).body.id);
  }
  const posted: string[] = [];
  let isStopped = false;
  const post = async (size: number) => {
    const events = Array.from({ length: size }, () => aDriftEvent());
    const { status, body } = await api.post('/v1/drift-events/batch', { customer_id: customer.id, events });
    expect(status).toBe(202);
    posted.push(...body.results.flatMap(({ deliveries }: ApiAnswer['body']) => deliveries.map(idOfDelivery)));
  };
  const call = async () => {
    for (let turn = 0; !isStopped; turn += 1) {
      await post(turn % 2 === 0 ? 1 : 5);
      await delay(PAUSE_MS);
    }
  };
  const calling = Promise.all(Array.from({ length: CALLERS }, call));
  // Rejects where it is awaited.
  calling.catch(() => {});
  return {
    goTo: (other: TestProcess) => {
      api = apiClient(other.url);
    },
    limitOne: async () => {
      const { status } = await api.patch(`/v1/endpoints/${endpointIds[1]}`, { max_in_flight: 2 });
      expect(status).toBe(200);
    },
    /** Waits for so many more events. */
    more: async (events: number) => {
      const enough = posted.length + 3 * events;
      await Promise.race([calling, until(() => posted.length >= enough, { deadlineMs: 60_000 })]);
    },
    /** Answers the ids of the deliveries. */
    stop: async () => {
      isStopped = true;
      await calling;
      return posted;
    },
  };
}

function idOfDelivery({ id }: { id: string }): string {
  return id;
}

/** How often this delivery is refused, by the last digit of its id, which is random: one in sixteen always, and so on. */
function refusals(deliveryId: string): number {
  return { 0: 3, 1: 2, 2: 1, 3: 1 }[deliveryId.slice(-1)] ?? 0;
}

function linesWith(worker: TestProcess, message: string): string[] {
  return worker
    .output()
    .split('\n')
    .filter((line) => line.includes(`"${message}"`));
}
