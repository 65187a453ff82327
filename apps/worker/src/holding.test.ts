import type { EndedHeld, HeldEndpoint, HoldAnswer, Released } from '@driftwire/database';
import type { DeliveryWakeUp } from '@driftwire/queue';
import { expect, test } from '@jest/globals';
import { createHolding, type HoldingDeps } from './holding.js';

const JOB = { deliveryId: 'delivery-1', generation: 1, endpointId: 'endpoint-1' };
const ANSWERED = { isSuccess: true, isTimeout: false };
const held = (endpointId: string, overrides: Partial<HeldEndpoint> = {}): HeldEndpoint => ({
  endpointId,
  oldestId: 'oldest',
  isActive: true,
  isOnHold: false,
  isLimited: false,
  maxPerSecond: null,
  circuitIsOpen: false,
  probeIsDue: false,
  isStale: false,
  ...overrides,
});

test.each<[string, HoldAnswer, object]>([
  ['held', { deliveryId: 'd', verdict: 'held' }, { kind: 'done' }],
  ['finished meanwhile', { deliveryId: 'd', verdict: 'finished' }, { kind: 'done' }],
  ['in flight elsewhere', { deliveryId: 'd', verdict: 'wait', waitMs: 70 }, { kind: 'snooze', delayMs: 70 }],
])('the job of a delivery that is %s ends as it should', async (_, answer, ending) => {
  const { holding } = setup({ hold: async () => answer });
  expect(await holding.hold(JOB)).toEqual(ending);
  expect(holding.isCrowded('endpoint-1')).toBe(answer.verdict === 'held');
});

test('while Postgres is away a delivery that should be held is put off after a pause, and that is said', async () => {
  const { holding, said } = setup({ hold: async () => Promise.reject(new Error('away')) });
  expect(await holding.hold(JOB)).toEqual({ kind: 'snooze', delayMs: 3_000 });
  expect(said).toEqual(['not held: Error: away', 'paused 1000 ms']);
});

test('an answered request lets one go; two, when it succeeded and there has been room for a second', async () => {
  let hasRoom = true;
  const { holding, asked, pass, gather } = setup({ endCrowding: async () => [], hasRoomFor: () => hasRoom });
  await holding.hold(JOB);
  holding.onRequestOver('endpoint-1', ANSWERED);
  await gather();
  pass(1_500);
  holding.onRequestOver('endpoint-1', ANSWERED);
  holding.onRequestOver('endpoint-1', { ...ANSWERED, isSuccess: false });
  hasRoom = false;
  holding.onRequestOver('endpoint-1', ANSWERED);
  await gather();
  expect(asked).toEqual([new Map([['endpoint-1', 1]]), new Map([['endpoint-1', 4]])]);
});

test('a timeout lets none go, and neither does an endpoint for which nothing is held', async () => {
  const { holding, asked, gather } = setup();
  await holding.hold(JOB);
  holding.onRequestOver('endpoint-1', { isSuccess: false, isTimeout: true });
  holding.onRequestOver('endpoint-2', ANSWERED);
  await gather();
  expect(asked).toEqual([]);
});

test('without circuits a timeout lets one go, as any other answer', async () => {
  const { holding, asked, gather } = setup({ timeoutsRelease: true });
  await holding.hold(JOB);
  holding.onRequestOver('endpoint-1', { isSuccess: false, isTimeout: true });
  await gather();
  expect(asked).toEqual([new Map([['endpoint-1', 1]])]);
});

test('what is let go is enqueued as such, and an endpoint with none left is crowded no more', async () => {
  const released = [{ deliveryId: 'delivery-1', endpointId: 'endpoint-1', generation: 2, jobId: null, maxAttempts: 3 }];
  const { holding, enqueued, pass, gather } = setup({ release: async () => released });
  await holding.hold(JOB);
  holding.onRequestOver('endpoint-1', ANSWERED);
  await gather();
  expect(enqueued).toMatchObject([{ deliveryId: 'delivery-1', generation: 2, isReleased: true }]);
  expect(holding.isCrowded('endpoint-1')).toBe(true);
  pass(1_500);
  holding.onRequestOver('endpoint-1', ANSWERED);
  await gather();
  expect(holding.isCrowded('endpoint-1')).toBe(false);
});

test('a look finds what others hold, and lets two go: at its first sight, and where the oldest has not moved', async () => {
  const found = [held('moves'), held('stands')];
  const { holding, asked, gather } = setup({ heldEndpoints: async () => found, endCrowding: async () => [] });
  await holding.look();
  await gather();
  expect(['moves', 'stands'].map(holding.isCrowded)).toEqual([true, true]);
  expect(asked.splice(0)).toEqual([
    new Map([
      ['moves', 2],
      ['stands', 2],
    ]),
  ]);
  found[0] = held('moves', { oldestId: 'next' });
  await holding.look();
  await gather();
  expect(asked).toEqual([new Map([['stands', 2]])]);
});

test('a look lets no more go than there is room for, of one endpoint first and of another the next time', async () => {
  const found = ['a', 'b', 'c'].map((id) => held(id));
  const chances = [0, 0.4];
  const { holding, asked, gather } = setup({
    heldEndpoints: async () => found,
    endCrowding: async () => [],
    sparePlaces: () => 3,
    random: () => chances.shift() ?? 0,
  });
  await holding.look();
  await gather();
  await holding.look();
  await gather();
  expect(asked.map((wanted) => [...wanted])).toEqual([
    [
      ['a', 2],
      ['b', 1],
    ],
    [
      ['b', 2],
      ['c', 1],
    ],
  ]);
});

test('a look ends what is held for an endpoint that takes none, and leaves alone what is on hold', async () => {
  const found = [held('inactive', { isActive: false }), held('on hold', { isOnHold: true })];
  const left = [1_000, 1_000, 7];
  const { holding, asked, gather } = setup({
    heldEndpoints: async () => found,
    endHeld: async () => [{ reason: 'endpoint_inactive', count: left.shift() ?? 0 }],
  });
  await holding.look();
  await holding.look();
  await gather();
  expect(left).toEqual([]);
  expect(asked).toEqual([]);
  expect(holding.isCrowded('on hold')).toBe(false);
});

test('a look asks endpoints whose circuit is open, and lets nothing of them go', async () => {
  const found = [held('open', { circuitIsOpen: true }), held('to ask', { circuitIsOpen: true, probeIsDue: true })];
  const paused = held('paused', { circuitIsOpen: true, probeIsDue: true, isOnHold: true });
  const { holding, asked, probed, gather } = setup({ heldEndpoints: async () => [...found, paused] });
  await holding.look();
  await holding.look();
  await gather();
  expect(asked).toEqual([]);
  expect(probed).toEqual(['to ask', 'to ask']);
  holding.letGo('open', 1);
  await gather();
  expect(asked).toEqual([new Map([['open', 1]])]);
});

test('no more probes are sent than there are places for', async () => {
  const due = ['a', 'b', 'c'].map((id) => held(id, { circuitIsOpen: true, probeIsDue: true }));
  const { holding, probed } = setup({ heldEndpoints: async () => due, sparePlaces: () => 2, random: () => 0.7 });
  await holding.look();
  expect(probed).toEqual(['c', 'a']);
});

test('a look ends what has been held for too long, and goes on with the rest', async () => {
  const ended: EndedHeld[][] = [[{ reason: 'expired', count: 3 }]];
  const { holding, asked, said, gather } = setup({
    heldEndpoints: async () => [held('stale', { isStale: true })],
    endHeld: async () => ended.shift() ?? [],
    endCrowding: async () => [],
  });
  await holding.look();
  await gather();
  expect(said).toEqual(['3 ended: expired']);
  expect(asked).toEqual([new Map([['stale', 2]])]);
});

test('an endpoint with limits is granted what they allow, and another when one is over; a rate, what it has until the next look', async () => {
  const found = [held('slots', { isLimited: true }), held('rate', { isLimited: true, maxPerSecond: 3 })];
  const { holding, asked, granted, gather } = setup({ heldEndpoints: async () => found, endCrowding: async () => [] });
  await holding.look();
  holding.onRequestOver('slots', ANSWERED);
  await gather();
  expect(granted.splice(0)).toEqual([
    new Map([
      ['slots', 2],
      ['rate', 8],
    ]),
  ]);
  holding.onGrantOver('slots');
  holding.onGrantOver('nobody');
  await gather();
  expect(granted.splice(0)).toEqual([new Map([['slots', 1]])]);
  await holding.hold({ ...JOB, endpointId: 'new' }, 'rate_limited');
  await gather();
  expect(granted).toEqual([new Map([['new', 1]])]);
  expect(asked).toEqual([]);
});

test('nothing is let go for what comes back from an endpoint that fails; a look goes on trying', async () => {
  const found = [held('endpoint-1')];
  const { holding, asked, gather } = setup({
    heldEndpoints: async () => found,
    endCrowding: async () => [],
    isFailing: () => true,
  });
  await holding.hold(JOB);
  holding.onRequestOver('endpoint-1', { isSuccess: false, isTimeout: false });
  await gather();
  expect(asked).toEqual([]);
  await holding.look();
  await holding.look();
  await gather();
  expect(asked).toEqual([new Map([['endpoint-1', 2]])]);
});

test('nothing is let go once it is closed', async () => {
  const { holding, asked, gather } = setup();
  await holding.hold(JOB);
  holding.onRequestOver('endpoint-1', ANSWERED);
  holding.close();
  holding.onRequestOver('endpoint-1', ANSWERED);
  await gather();
  expect(asked).toEqual([]);
});

test('an endpoint whose last one another worker has let go is crowded no more', async () => {
  const { holding } = setup();
  await holding.hold(JOB);
  await holding.look();
  expect(holding.isCrowded('endpoint-1')).toBe(false);
});

function setup(overrides: Partial<HoldingDeps> = {}) {
  let nowMs = 0;
  const asked: ReadonlyMap<string, number>[] = [];
  const enqueued: DeliveryWakeUp[] = [];
  const waiting: (() => void)[] = [];
  const said: string[] = [];
  const granted: ReadonlyMap<string, number>[] = [];
  const probed: string[] = [];
  const { release = async (): Promise<Released[]> => [], ...others } = overrides;
  const holding = createHolding({
    hold: async ({ deliveryId }) => ({ deliveryId, verdict: 'held' }),
    release: (wanted) => {
      asked.push(wanted);
      return release(wanted);
    },
    // As long as somebody asks for more than there is.
    endCrowding: async (ids) => [...ids],
    heldEndpoints: async () => [],
    endHeld: async () => [],
    grant: async (wanted) => {
      granted.push(wanted);
      return [];
    },
    sparePlaces: () => 30,
    hasRoomFor: () => true,
    isFailing: () => false,
    timeoutsRelease: false,
    probe: async (ids) => void probed.push(...ids),
    enqueue: (wakeUps) => enqueued.push(...wakeUps),
    observe: {
      looked: () => {},
      held: () => {},
      notHeld: (_, error) => said.push(`not held: ${error}`),
      released: () => {},
      ended: (_, { reason, count }: EndedHeld) => said.push(`${count} ended: ${reason}`),
      failed: () => {},
    },
    now: () => nowMs,
    later: (callback) => waiting.push(callback),
    random: () => 0.5,
    pause: async (ms) => said.push(`paused ${ms} ms`),
    ...others,
  });
  return {
    holding,
    asked,
    granted,
    probed,
    said,
    enqueued,
    pass(ms: number) {
      nowMs += ms;
    },
    /** Runs what was to happen later. */
    async gather() {
      for (const callback of waiting.splice(0)) callback();
      await new Promise(setImmediate);
    },
  };
}
