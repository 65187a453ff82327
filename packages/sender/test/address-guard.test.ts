import { BlockList } from 'node:net';
import { expect, test } from '@jest/globals';
import { createSender, type ResolveAll, type SenderOptions } from '../src/index.js';
import { httpReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { aWebhookRequest, failsToResolve, resolvesTo } from './webhook-requests.js';

const PUBLIC = '93.184.215.14';

test.each([
  ['loopback', ['127.0.0.1']],
  ['IPv6 loopback', ['::1']],
  ['mapped loopback', ['::ffff:127.0.0.1']],
  ['cloud metadata', ['169.254.169.254']],
  ['RFC 1918', ['10.1.2.3']],
  ['a zone', ['fe80::1%lo']],
  ['a public address first, a private one second', [PUBLIC, '127.0.0.1']],
  ['a private address first, a public one second', ['127.0.0.1', PUBLIC]],
  ['something that is no address', ['localhost']],
])('a name that resolves to %s is blocked without a connection', async (_what, addresses) => {
  const { receiver, send } = await guarded(resolvesTo(...addresses));
  const report = await send({ url: `https://receiver.example.com:${receiver.port}/` });
  expect(report.outcome.kind).toBe('blocked');
  expect(report.error).toMatch(/^Address not allowed: receiver\.example\.com /);
  for (const address of addresses) expect(report.error).not.toContain(address);
  expect(receiver.accepted()).toBe(0);
});

test('a name that was public when it was looked at before is blocked once it is private', async () => {
  const answers = [[PUBLIC], ['127.0.0.1']];
  const rebinding: ResolveAll = (hostname, options, callback) =>
    resolvesTo(...(answers.shift() ?? []))(hostname, options, callback);
  const { receiver, send } = await guarded(rebinding);
  rebinding('receiver.example.com', { all: true }, (_error, [answer]) => expect(answer?.address).toBe(PUBLIC));
  expect((await send({ url: `https://receiver.example.com:${receiver.port}/` })).outcome.kind).toBe('blocked');
  expect(receiver.accepted()).toBe(0);
});

test('a connection goes to the answer that was judged: nobody resolves a second time', async () => {
  let lookups = 0;
  const { receiver, send } = await setup(answering(), {
    lookup: (hostname, options, callback) => {
      lookups += 1;
      resolvesTo(lookups === 1 ? '127.0.0.1' : '127.0.0.99')(hostname, options, callback);
    },
  });
  expect((await send()).outcome).toMatchObject({ status: 200 });
  expect([lookups, receiver.accepted()]).toEqual([1, 1]);
});

test.each([
  ['127.0.0.1', 1],
  ['127.0.0.2', 0],
  ['10.0.0.1', 0],
  ['169.254.169.254', 0],
])(
  'an operator that has opened 127.0.0.1/32 has opened exactly that: a name that resolves to %s',
  async (ip, connections) => {
    const opened = new BlockList();
    opened.addSubnet('127.0.0.1', 32, 'ipv4');
    const receiver = await answering();
    const addressPolicy = { allowPrivate: false, ports: [receiver.port], opened };
    const { send } = await setup(Promise.resolve(receiver), { lookup: resolvesTo(ip), addressPolicy });
    for (const url of [`https://receiver.internal:${receiver.port}/`, `https://${ip}:${receiver.port}/`]) {
      const { outcome } = await send({ url });
      // The receiver speaks no TLS: what counts is who was connected to.
      expect(outcome.kind === 'blocked').toBe(connections === 0);
    }
    expect(receiver.accepted()).toBe(2 * connections);
    expect((await send({ url: `http://${ip}:${receiver.port}/` })).outcome.kind).toBe('blocked');
  },
);

test('an empty answer is a DNS failure, which is retried', async () => {
  const { receiver, send } = await guarded(resolvesTo());
  expect((await send({ url: `https://receiver.example.com:${receiver.port}/` })).outcome.kind).toBe('dns');
  expect(receiver.accepted()).toBe(0);
});

test.each(['ENOTFOUND', 'EAI_AGAIN', 'ESERVFAIL'])('%s is a DNS failure, which is retried', async (code) => {
  const { receiver, send } = await guarded(failsToResolve(code));
  const report = await send({ url: `https://receiver.example.com:${receiver.port}/` });
  expect(report.outcome.kind).toBe('dns');
  expect(report.error).toMatch(/^Name resolution failed: /);
});

test('a resolver that never answers is stopped by the total timeout', async () => {
  const { receiver, send } = await guarded(() => undefined, { timeoutMs: 100 });
  const report = await send({ url: `https://receiver.example.com:${receiver.port}/` });
  expect(report).toMatchObject({ outcome: { kind: 'timeout' }, withheld: null });
});

test.each([
  '127.0.0.1',
  '0x7f.1',
  '0x7f000001',
  '2130706433',
  '0177.0.0.1',
  '127.1',
  '127.0.0.1.',
  '１２７.０.０.１',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  'localhost',
  'LOCALHOST.',
  'app.localhost',
])('%s is blocked without a lookup or a connection', async (host) => {
  let lookups = 0;
  const { receiver, send } = await guarded((hostname, options, callback) => {
    lookups += 1;
    resolvesTo('127.0.0.1')(hostname, options, callback);
  });
  const report = await send({ url: `https://${host}:${receiver.port}/` });
  expect(report.outcome.kind).toBe('blocked');
  expect([lookups, receiver.accepted()]).toEqual([0, 0]);
});

test('names are resolved by the system', async () => {
  const { receiver } = await setup(answering());
  const sender = createSender({
    version: '0.1.0',
    addressPolicy: { allowPrivate: true, ports: [] },
    timeoutMs: 2000,
  });
  const report = await sender.send(aWebhookRequest({ url: receiver.url }));
  sender.close();
  expect(report.outcome).toMatchObject({ status: 200 });
});

async function guarded(lookup: ResolveAll, overrides: Partial<SenderOptions> = {}) {
  const receiver = await answering();
  const addressPolicy = { allowPrivate: false, ports: [receiver.port] };
  return setup(Promise.resolve(receiver), { lookup, addressPolicy, ...overrides });
}

function answering() {
  return httpReceiver((_request, response) => response.end());
}
