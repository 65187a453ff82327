import { expect, test } from '@jest/globals';
import { threadPoolOf, threadsNeeded } from './thread-pool.js';

test.each([
  [undefined, 4, 2],
  ['128', 128, 64],
  ['1', 1, 1],
  ['5', 5, 3],
  ['5000', 1024, 512],
  ['', 1, 1],
  ['many', 1, 1],
  ['0', 1, 1],
])('UV_THREADPOOL_SIZE=%s gives %i threads, of which %i may look up names', (size, threads, lookupsAtOnce) => {
  expect(threadPoolOf({ UV_THREADPOOL_SIZE: size })).toEqual({ threads, lookupsAtOnce });
});

test('a worker needs a thread for each delivery in flight and some more, as far as libuv has them', () => {
  expect([threadsNeeded(100), threadsNeeded(10_000)]).toEqual([116, 1024]);
});
