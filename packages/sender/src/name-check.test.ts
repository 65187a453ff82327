import { expect, test } from '@jest/globals';
import { failsToResolve, resolvesTo } from '../test/webhook-requests.js';
import type { ResolveAll } from './guarded-lookup.js';
import { createNameCheck } from './name-check.js';

const PUBLIC = '93.184.215.14';

test.each([
  ['a private address', resolvesTo('10.0.0.1')],
  ['loopback', resolvesTo('::1')],
  ['a public and a private address', resolvesTo(PUBLIC, '192.168.0.1')],
])('a name that resolves to %s is refused', async (_, lookup) => {
  expect(await check(lookup)).toBe('The URL names a host whose address is not a public one.');
});

test.each([
  ['a public address', resolvesTo(PUBLIC)],
  ['nothing', resolvesTo()],
  ['an error', failsToResolve('ENOTFOUND')],
  ['a broken resolver', failsToResolve('EAI_AGAIN')],
  ['nothing in time', (() => undefined) as ResolveAll],
])('a name that resolves to %s is accepted: every attempt looks again', async (_, lookup) => {
  expect(await check(lookup)).toBeNull();
});

test('an address is not looked up, and nothing is in development', async () => {
  const never: ResolveAll = () => {
    throw new Error('looked up');
  };
  expect(await check(never, { url: 'https://93.184.215.14/' })).toBeNull();
  expect(await check(never, { url: 'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/' })).toBeNull();
  expect(await check(never, { allowPrivate: true })).toBeNull();
});

function check(lookup: ResolveAll, { url = 'https://receiver.example.com/in', allowPrivate = false } = {}) {
  const addressPolicy = { allowPrivate, ports: [443] };
  return createNameCheck({ addressPolicy, withinMs: 50, lookup })(url);
}
