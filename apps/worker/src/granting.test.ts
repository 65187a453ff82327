import type { Granted } from '@driftwire/database';
import type { DeliveryToRun } from '@driftwire/queue';
import { expect, test } from '@jest/globals';
import { createGranting, type GrantingDeps } from './granting.js';

const aGrant = (deliveryId: string, overrides: Partial<Granted> = {}): Granted => ({
  ...{
    deliveryId,
    endpointId: 'endpoint-1',
    generation: 2,
    maxAttempts: 3,
    dueInMs: 0,
    isPaced: false,
    hasSlot: false,
  },
  ...overrides,
});

test('what is granted runs without a job, a little before its time where it has one', async () => {
  const grants = [aGrant('now'), aGrant('paced', { isPaced: true, dueInMs: 300 })];
  const { granting, ran, waits, pass } = setup({ grant: async () => grants });
  expect(await granting.grant(new Map([['endpoint-1', 5]]))).toEqual(grants);
  expect(waits).toEqual([0, 220]);
  await pass(220);
  expect(ran).toEqual([
    { deliveryId: 'now', endpointId: 'endpoint-1', generation: 2, isReleased: true, isGranted: true },
    {
      ...{ deliveryId: 'paced', endpointId: 'endpoint-1', generation: 2, isReleased: true, isGranted: true },
      pace: { atMs: 300, withinMs: 50 },
    },
  ]);
});

test('a slot is given back when the request is over, once; then another may be granted', async () => {
  const { granting, freed, over, pass } = setup({ grant: async () => [aGrant('one', { hasSlot: true })] });
  await granting.grant(new Map([['endpoint-1', 1]]));
  granting.onRequestOver('another');
  granting.onRequestOver('one');
  await pass(0);
  expect(freed).toEqual(['one']);
  expect(over).toEqual(['endpoint-1']);
});

test('a slot of what was not sent is given back when it is clear that it will not be', async () => {
  const { granting, freed, said, pass } = setup({
    grant: async () => [aGrant('one', { hasSlot: true })],
    freeSlots: async () => Promise.reject(new Error('away')),
  });
  await granting.grant(new Map([['endpoint-1', 1]]));
  await pass(0);
  expect(freed).toEqual([]);
  expect(said).toEqual(['not freed: Error: away']);
});

test('of an endpoint no more are under way than this worker can do at once', async () => {
  let made = 0;
  const { granting, asked, pass } = setup({
    grant: async (wanted) =>
      Array.from({ length: wanted.get('endpoint-1') ?? 0 }, () =>
        aGrant(`${made++}`, { dueInMs: 1_000, isPaced: true }),
      ),
  });
  await granting.grant(new Map([['endpoint-1', 7]]));
  await granting.grant(new Map([['endpoint-1', 7]]));
  await granting.grant(new Map([['endpoint-1', 7]]));
  expect(asked.map(({ count }) => count)).toEqual([7, 3]);
  await pass(1_000);
  await granting.grant(new Map([['endpoint-1', 7]]));
  expect(asked.map(({ count }) => count)).toEqual([7, 3, 7]);
});

test('no more are granted than there are places for, or they would be held again at once', async () => {
  const { granting, asked } = setup({ sparePlaces: () => 3 });
  await granting.grant(new Map([['endpoint-1', 7]]));
  const { granting: full, asked: askedNothing } = setup({ sparePlaces: () => 0 });
  expect(await full.grant(new Map([['endpoint-1', 7]]))).toEqual([]);
  expect([asked.map(({ count }) => count), askedNothing]).toEqual([[3], []]);
});

test('a worker that has missed a moment asks for more time, for a while; one that has not does not', async () => {
  const grants = [aGrant('sent', { isPaced: true }), aGrant('missed', { isPaced: true })];
  const { granting, asked, pass } = setup({
    grant: async () => grants.splice(0, 1),
    run: async ({ deliveryId }) => {
      if (deliveryId === 'sent') granting.onRequestOver(deliveryId);
    },
  });
  const grant = () => granting.grant(new Map([['endpoint-1', 1]]));
  await grant();
  await pass(5);
  await grant();
  await pass(5);
  await grant();
  await pass(10_000);
  await grant();
  expect(asked.map(({ leadMs }) => leadMs)).toEqual([0, 0, 500, 0]);
});

function setup(overrides: Partial<GrantingDeps> = {}) {
  let nowMs = 0;
  const asked: { count: number | undefined; leadMs: number }[] = [];
  const ran: DeliveryToRun[] = [];
  const freed: string[] = [];
  const over: string[] = [];
  const said: string[] = [];
  const waits: number[] = [];
  let waiting: { atMs: number; callback: () => void }[] = [];
  const { grant = async () => [], ...others } = overrides;
  const granting = createGranting({
    grant: (wanted, leadMs) => {
      asked.push({ count: wanted.get('endpoint-1'), leadMs });
      return grant(wanted, leadMs);
    },
    freeSlots: async (granted) => void freed.push(...granted.map(({ deliveryId }) => deliveryId)),
    run: async (delivery) => void ran.push(delivery),
    onOver: (endpointId) => over.push(endpointId),
    onNotFreed: (error) => said.push(`not freed: ${error}`),
    sparePlaces: () => 100,
    mostAtOnce: 10,
    now: () => nowMs,
    later(callback, ms) {
      waits.push(ms);
      waiting.push({ atMs: nowMs + ms, callback });
    },
    ...others,
  });
  return {
    ...{ granting, asked, ran, freed, over, said, waits },
    /** Lets time go by, and runs what is due. */
    async pass(ms: number) {
      nowMs += ms;
      const due = waiting.filter(({ atMs }) => atMs <= nowMs);
      waiting = waiting.filter(({ atMs }) => atMs > nowMs);
      for (const { callback } of due) callback();
      await new Promise(setImmediate);
    },
  };
}
