import { expect, test } from '@jest/globals';
import { createBriefMemory } from './brief-memory.js';

function aMemory(load: (id: string) => Promise<string | null>, capacity = 10) {
  const clock = { ms: 0 };
  const looked: string[] = [];
  const recall = createBriefMemory(
    (id) => {
      looked.push(id);
      return load(id);
    },
    { ttlMs: 1_000, capacity, now: () => clock.ms },
  );
  return { recall, looked, clock };
}

test('what was found is remembered until its time is over, counted from the start of the look', async () => {
  const { recall, looked, clock } = aMemory(async (id) => {
    clock.ms += 400;
    return id.toUpperCase();
  });
  expect(await recall('a')).toBe('A');
  clock.ms = 999;
  expect(await recall('a')).toBe('A');
  expect(looked).toEqual(['a']);
  clock.ms = 1_000;
  expect(await recall('a')).toBe('A');
  expect(looked).toEqual(['a', 'a']);
});

test('a look that is underway is shared', async () => {
  const { recall, looked } = aMemory(async (id) => id);
  expect(await Promise.all([recall('a'), recall('a'), recall('b')])).toEqual(['a', 'a', 'b']);
  expect(looked).toEqual(['a', 'b']);
});

test('what is not there, and a failure, are asked for anew', async () => {
  const answers = [null, new Error('away'), 'there'];
  const { recall, looked } = aMemory(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? null;
  });
  expect(await recall('a')).toBeNull();
  await expect(recall('a')).rejects.toThrow('away');
  expect(await recall('a')).toBe('there');
  expect(looked).toHaveLength(3);
});

test('it never holds more than its capacity', async () => {
  const { recall, looked } = aMemory(async (id) => id, 2);
  for (const id of ['a', 'b', 'c', 'a']) await recall(id);
  expect(looked).toEqual(['a', 'b', 'c', 'a']);
});
