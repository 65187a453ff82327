import { expect, test } from '@jest/globals';
import type { FaultKind } from './fault-kinds.js';
import type { PlannedFault } from './fault-plan.js';
import { type FaultRunner, runInTurn, runOverlapping } from './fault-runner.js';

test('faults on the same target wait for each other, on others they overlap', async () => {
  const { runner, mostAtOnce } = setup();
  await runOverlapping(runner, faultsOf('redis-kill', 'redis-freeze', 'redis-flush'));
  expect(mostAtOnce()).toBe(1);
  await runOverlapping(runner, faultsOf('redis-kill', 'postgres-restart', 'worker-freeze', 'worker-freeze'));
  expect(mostAtOnce()).toBe(4);
});

test('what waits for its moment holds up nobody', async () => {
  const { runner, mostAtOnce } = setup();
  await runOverlapping(runner, faultsOf('worker-kill-while-probing', 'worker-kill', 'redis-flush-held', 'redis-kill'));
  expect(mostAtOnce()).toBe(4);
});

test('in turn, none starts before the one before is over', async () => {
  const { runner, mostAtOnce } = setup();
  await runInTurn(runner, faultsOf('redis-kill', 'postgres-restart', 'api-kill'));
  expect(mostAtOnce()).toBe(1);
  expect(runner.injected.map(({ number }) => number)).toEqual([1, 2, 3]);
});

test('a fault whose moment never comes is on record as missed, and the others go on', async () => {
  const { runner } = setup();
  const [missed, done] = faultsOf('worker-kill-at-claim', 'api-kill');
  if (!missed || !done) throw new Error('no faults');
  const inject = async (fault: PlannedFault, struck: () => void) => {
    if (fault === missed) throw new Error('no claim came');
    struck();
  };
  await runInTurn({ ...runner, inject }, [missed, done]);
  expect(runner.injected).toMatchObject([
    { kind: 'worker-kill-at-claim', injectedAt: null, missed: 'no claim came' },
    { kind: 'api-kill', injectedAt: expect.any(Number), missed: null },
  ]);
});

test('told to stop, nothing more is injected', async () => {
  const { runner } = setup();
  const stopped = { ...runner, signal: AbortSignal.abort() };
  await expect(runOverlapping(stopped, faultsOf('redis-kill', 'redis-flush', 'api-kill'))).rejects.toThrow(/abort/);
  expect(runner.injected).toEqual([]);
});

function setup() {
  let atOnce = 0;
  let most = 0;
  const runner: FaultRunner = {
    injected: [],
    signal: new AbortController().signal,
    inject: async (_fault, struck) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      struck();
      // Long enough for another one to strike, if it were allowed to.
      await new Promise((resolve) => setTimeout(resolve, 20));
      atOnce -= 1;
    },
  };
  return { runner, mostAtOnce: () => most };
}

function faultsOf(...kinds: FaultKind[]): PlannedFault[] {
  return kinds.map((kind, index) => ({ number: index + 1, kind, atMs: 0, durationMs: 0, pick: 0 }));
}
