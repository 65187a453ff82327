import { randomBytes } from 'node:crypto';
import { generateSecret, webhookHeaders } from '@driftwire/delivery';
import { afterEach, expect, test } from '@jest/globals';
import { type Receiver, startReceiver } from '../src/demo/receiver.js';
import { ROLES } from '../src/demo/roles.js';

const teardown: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of teardown.splice(0)) await step();
});

test.each([
  ['healthy', [200, 200, 200, 200]],
  ['flaky', [500, 500, 200, 200]],
  ['failing', [500, 500, 500, 500]],
])('the %s receiver answers %j, to each delivery for itself', async (name, answers) => {
  const { receiver, deliver } = await setup(name);
  for (const answer of answers) {
    expect(await deliver('one')).toBe(answer);
    expect(await deliver('other')).toBe(answer);
  }
  expect(receiver.received[0]).toEqual({
    deliveryId: 'one',
    webhookId: 'event',
    requestId: 'request',
    signatureProblem: undefined,
    answered: answers[0],
  });
});

test('what is not signed with its secret is noted and answered with 401', async () => {
  const { receiver, deliver } = await setup('healthy');
  expect(await deliver('one', generateSecret(randomBytes))).toBe(401);
  expect(receiver.received[0]).toMatchObject({
    signatureProblem: 'standardwebhooks: No matching signature found',
    answered: 401,
  });
});

async function setup(name: string) {
  const [role] = ROLES.filter((one) => one.name === name);
  if (!role) throw new Error(`no role ${name}`);
  const receiver = await startReceiver(role);
  teardown.push(receiver.close);
  const secret = generateSecret(randomBytes);
  receiver.trust(secret);
  return { receiver, deliver: (id: string, signedWith = secret) => deliver(receiver, id, signedWith) };
}

async function deliver({ url }: Receiver, deliveryId: string, secret: string): Promise<number> {
  const body = Buffer.from('{"metadata":{"request_id":"request"}}');
  const headers = webhookHeaders({
    body,
    deliveryId,
    secrets: [secret],
    webhookId: 'event',
    timestampSeconds: Math.floor(Date.now() / 1_000),
    version: '0',
    eventType: 'drift.created',
    attemptNumber: 1,
    customHeaders: {},
  });
  return (await fetch(url, { method: 'POST', headers, body })).status;
}
