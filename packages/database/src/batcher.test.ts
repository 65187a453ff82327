import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type BatcherOptions, createBatcher } from './batcher.js';

type Run = {
  items: readonly string[];
  finish: (results?: readonly string[]) => void;
  fail: (error: Error) => void;
};

/** Batches that end when the test says so. */
function heldBatches(options: Partial<BatcherOptions<string, string>> = {}) {
  const runs: Run[] = [];
  const batcher = createBatcher<string, string>({
    run: (items) =>
      new Promise((resolve, reject) => {
        const finish = (results: readonly string[] = items.map((item) => item.toUpperCase())) => resolve(results);
        runs.push({ items, finish, fail: reject });
      }),
    keysOf: (item) => [item],
    capacity: 100,
    lanes: 1,
    isOutage: ({ message }: Error) => message === 'outage',
    ...options,
  } as BatcherOptions<string, string>);
  return { batcher, runs, batches: () => runs.map(({ items }) => items.join('')) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what arrives in one turn of the event loop leaves together, at once, and each gets its own answer', async () => {
  const { batcher, runs, batches } = heldBatches();
  const answers = [batcher.submit('a'), batcher.submit('b')];
  await turn();
  expect(batches()).toEqual(['ab']);
  runs[0]?.finish();
  expect(await Promise.all(answers)).toEqual(['A', 'B']);
});

test('while one batch is on its way the next one fills, and leaves when the lane is free', async () => {
  const { batcher, runs, batches } = heldBatches();
  void batcher.submit('a');
  await turn();
  void batcher.submit('b');
  await turn();
  void batcher.submit('c');
  await turn();
  expect(batches()).toEqual(['a']);
  expect(batcher.waiting()).toBe(2);
  runs[0]?.finish();
  await turn();
  await turn();
  expect(batches()).toEqual(['a', 'bc']);
});

test('several lanes are used before anything waits', async () => {
  const { batcher, batches } = heldBatches({ lanes: 2 });
  for (const item of ['a', 'b', 'c']) {
    void batcher.submit(item);
    await turn();
  }
  expect(batches()).toEqual(['a', 'b']);
});

test('no further lane opens while many items are on their way, and one does again when they are done', async () => {
  const { batcher, runs, batches } = heldBatches({ lanes: 3, crowdedAt: 2 });
  for (const item of ['a', 'b', 'c', 'd']) {
    void batcher.submit(item);
    await turn();
  }
  expect(batches()).toEqual(['a', 'b']);
  runs[0]?.finish();
  await turn();
  await turn();
  expect(batches()).toEqual(['a', 'b', 'cd']);
});

test('a lane rests after its batch, whose items have their answers before', async () => {
  const { batcher, runs, batches } = heldBatches({ restMs: () => 30 });
  const answer = batcher.submit('a');
  await turn();
  void batcher.submit('b');
  const endedAt = performance.now();
  runs[0]?.finish();
  expect(await answer).toBe('A');
  while (batches().length < 2) await turn();
  expect(batches()).toEqual(['a', 'b']);
  expect(performance.now() - endedAt).toBeGreaterThan(25);
});

test('a batch that is larger than what crowds goes when nothing is on its way', async () => {
  const { batcher, batches } = heldBatches({ lanes: 3, crowdedAt: 2 });
  for (const item of ['a', 'b', 'c']) void batcher.submit(item);
  await turn();
  expect(batches()).toEqual(['abc']);
});

describe('gathering', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  test('the first batch leaves at once; those that come soon after share the next one', async () => {
    const { batcher, runs, batches } = heldBatches({ gathering: { ms: 10, isPressed: () => false } });
    void batcher.submit('a');
    await turn();
    runs[0]?.finish();
    for (const item of ['b', 'c']) {
      void batcher.submit(item);
      await turn();
    }
    jest.advanceTimersByTime(9);
    await turn();
    expect(batches()).toEqual(['a']);
    jest.advanceTimersByTime(1);
    await turn();
    expect(batches()).toEqual(['a', 'bc']);
  });

  test('who is alone after a quiet time waits for nobody', async () => {
    const { batcher, runs, batches } = heldBatches({ gathering: { ms: 10, isPressed: () => false } });
    void batcher.submit('a');
    await turn();
    runs[0]?.finish();
    await turn();
    jest.advanceTimersByTime(10);
    void batcher.submit('b');
    await turn();
    expect(batches()).toEqual(['a', 'b']);
  });

  test('when pressed, those that were waiting leave with the one that comes', async () => {
    let pressed = false;
    const { batcher, runs, batches } = heldBatches({ gathering: { ms: 10, isPressed: () => pressed } });
    void batcher.submit('a');
    await turn();
    runs[0]?.finish();
    void batcher.submit('b');
    await turn();
    pressed = true;
    void batcher.submit('c');
    await turn();
    expect(batches()).toEqual(['a', 'bc']);
  });
});

test('a batch is bounded; what does not fit goes first in the next one', async () => {
  const { batcher, runs, batches } = heldBatches({ capacity: 3 });
  for (const item of 'abcdefg') void batcher.submit(item);
  for (let index = 0; index < 3; index += 1) {
    await turn();
    runs[index]?.finish();
    await turn();
  }
  expect(batches()).toEqual(['abc', 'def', 'g']);
});

test('an item that is larger than a batch has one of its own', async () => {
  const { batcher, runs } = heldBatches({ capacity: 3, weigh: (item) => item.length });
  for (const item of ['aaaaa', 'b', 'cc', 'd']) void batcher.submit(item);
  for (let index = 0; index < 3; index += 1) {
    await turn();
    runs[index]?.finish();
    await turn();
  }
  expect(runs.map(({ items }) => items)).toEqual([['aaaaa'], ['b', 'cc'], ['d']]);
});

test('items that have a key in common never share a batch, and keep their order', async () => {
  const { batcher, runs } = heldBatches({ keysOf: (item) => [item.slice(0, 1)] });
  for (const item of ['a1', 'a2', 'b1', 'a3']) void batcher.submit(item);
  for (let index = 0; index < 3; index += 1) {
    await turn();
    runs[index]?.finish();
    await turn();
  }
  expect(runs.map(({ items }) => items)).toEqual([['a1', 'b1'], ['a2'], ['a3']]);
});

test.each(['a', 'd', 'h'])('a failing batch is halved until the guilty item %s stands alone', async (guilty) => {
  const tried: string[] = [];
  const batcher = createBatcher<string, string>({
    run: async (items) => {
      tried.push(items.join(''));
      if (items.includes(guilty)) throw new Error(`not ${guilty}`);
      return items;
    },
    keysOf: (item) => [item],
    capacity: 100,
    lanes: 1,
    isOutage: () => false,
  });
  const settled = await Promise.allSettled([...'abcdefgh'].map((item) => batcher.submit(item)));
  expect(settled.flatMap(({ status }, index) => (status === 'rejected' ? ['abcdefgh'[index]] : []))).toEqual([guilty]);
  expect(tried).toHaveLength(7);
});

test('an outage is nobody’s fault: all are told, none is tried alone, and the lane is free again', async () => {
  const { batcher, runs, batches } = heldBatches();
  const answers = [batcher.submit('a'), batcher.submit('b')];
  await turn();
  runs[0]?.fail(new Error('outage'));
  expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  void batcher.submit('c');
  await turn();
  expect(batches()).toEqual(['ab', 'c']);
});

test('a run that answers too few is a bug that nobody takes for an answer', async () => {
  const { batcher, runs } = heldBatches();
  const answer = batcher.submit('a');
  await turn();
  runs[0]?.finish([]);
  await expect(answer).rejects.toThrow('1 items got 0 results');
});

describe('an outage', () => {
  /** On from the first error until it ends; an item with a time of its own waits until then at most. */
  function heldOutage() {
    let end: (() => void) | undefined;
    const turnsAway = new Map<number, () => void>();
    let over: Promise<void> = Promise.resolve();
    return {
      isOn: () => end !== undefined,
      noticed: (error: unknown) => {
        if (!(error instanceof Error && error.message === 'away')) return false;
        over = new Promise((resolve) => {
          end = resolve;
        });
        return true;
      },
      over: (until: number) => {
        const tooLate = new Promise<never>((_, reject) => {
          turnsAway.set(until, () => reject(new Error('still away')));
        });
        return Promise.race([over, tooLate]);
      },
      end: () => {
        end?.();
        end = undefined;
      },
      isPast: (until: number) => turnsAway.get(until)?.(),
    };
  }

  test('sends back what was on its way, and it leaves again with what came meanwhile, before it', async () => {
    const outage = heldOutage();
    const { batcher, runs, batches } = heldBatches({ outage });
    const answers = [batcher.submit('a')];
    await turn();
    runs[0]?.fail(new Error('away'));
    await turn();
    answers.push(batcher.submit('b'));
    await turn();
    expect(batches()).toEqual(['a']);
    outage.end();
    await turn();
    await turn();
    expect(batches()).toEqual(['a', 'ab']);
    runs[1]?.finish();
    expect(await Promise.all(answers)).toEqual(['A', 'B']);
  });

  test('turns away whose time is over, and nobody else', async () => {
    const outage = heldOutage();
    const { batcher, runs, batches } = heldBatches({ outage });
    const early = batcher.submit('a', 1);
    const late = batcher.submit('b', 2);
    await turn();
    runs[0]?.fail(new Error('away'));
    await turn();
    outage.isPast(1);
    await expect(early).rejects.toThrow('still away');
    outage.end();
    await turn();
    await turn();
    expect(batches()).toEqual(['ab', 'b']);
    runs[1]?.finish();
    expect(await late).toBe('B');
  });
});
