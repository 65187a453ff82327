import type { LookupAddress } from 'node:dns';
import { expect, test } from '@jest/globals';
import { failsToResolve, resolvesTo } from '../test/webhook-requests.js';
import { guardedLookup, type ResolveAll } from './guarded-lookup.js';

const V4 = '93.184.215.14';
const V6 = '2606:2800:21f:cb07:6820:80da:af6b:8b2c';

test('a set of public addresses passes whole and in order', async () => {
  expect(await looked(resolvesTo(V6, V4), { all: true })).toEqual({
    error: null,
    address: [
      { address: V6, family: 6 },
      { address: V4, family: 4 },
    ],
  });
});

test('asked for one address, it gives the first of a set that passed', async () => {
  expect(await looked(resolvesTo(V4, V6), { all: false })).toEqual({ error: null, address: V4, family: 4 });
  expect((await looked(resolvesTo(V4, '10.0.0.1'), { all: false })).error?.code).toBe('ERR_DRIFTWIRE_BLOCKED');
});

test("the resolver's error is passed on as it is", async () => {
  expect((await looked(failsToResolve('EAI_AGAIN'), { all: true })).error?.code).toBe('EAI_AGAIN');
});

test('private addresses pass only where the policy allows them', async () => {
  expect((await looked(resolvesTo('10.0.0.1'), { all: true })).error?.code).toBe('ERR_DRIFTWIRE_BLOCKED');
  expect((await looked(resolvesTo('10.0.0.1'), { all: true }, true)).error).toBeNull();
});

type Answer = { error: NodeJS.ErrnoException | null; address: string | LookupAddress[]; family?: number | undefined };

function looked(resolve: ResolveAll, options: { all: boolean }, allowPrivate = false): Promise<Answer> {
  const lookup = guardedLookup(resolve, { allowPrivate, ports: [] });
  return new Promise((done) =>
    lookup('receiver.example.com', options, (error, address, family) =>
      done(family === undefined ? { error, address } : { error, address, family }),
    ),
  );
}
