import { expect, test } from '@jest/globals';
import { createPartitionWatch } from './partition-watch.js';

function setup() {
  const at = { days: 8, made: 0, failure: null as Error | null };
  const did: string[] = [];
  const watch = createPartitionWatch({
    make: async () => {
      if (at.failure !== null) throw at.failure;
      return at.made;
    },
    daysAhead: async () => at.days,
    observe: { made: (days) => did.push(`made ${days}`), ahead: (days) => did.push(`${days} ahead`) },
  });
  return { at, did, watch };
}

test('what is made is said, and how far ahead it goes', async () => {
  const { at, did, watch } = setup();
  at.made = 2;
  await watch.keep();
  at.made = 0;
  await watch.keep();
  expect(did).toEqual(['8 ahead', 'made 2', '8 ahead']);
});

test('where nothing can be made, what is there is looked at all the same; without today that is said until it is there', async () => {
  const { at, did, watch } = setup();
  expect(watch.remark()).toBeUndefined();
  at.failure = new Error('permission denied');
  at.days = 0;
  await expect(watch.keep()).rejects.toThrow('permission denied');
  expect(did).toEqual(['0 ahead']);
  expect(watch.remark()).toBe('none for today');
  Object.assign(at, { failure: null, days: 8 });
  await watch.keep();
  expect(watch.remark()).toBeUndefined();
});
