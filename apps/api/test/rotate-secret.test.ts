import { createHmac } from 'node:crypto';
import { aDriftEvent, until } from '@driftwire/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ApiStack, aCustomer, aProblem, type Customer, setup } from './setup.js';

let stack: ApiStack;
let customer: Customer;
let endpoint: { id: string; secret: string };
beforeAll(async () => {
  stack = await setup({ workers: 1 });
});
beforeEach(async () => {
  customer = await aCustomer(stack);
  endpoint = (await customer.admin.post('/v1/endpoints', { name: 'one', url: stack.receiver.url })).body;
});
afterAll(() => stack.close());

const rotate = (body?: unknown) => customer.admin.post(`/v1/endpoints/${endpoint.id}/rotate-secret`, body);

test('a rotation answers the new secret once, and when the overlap ends: a day from now', async () => {
  const { status, body } = await rotate();
  expect(status).toBe(200);
  expect(body.secret).toMatch(/^whsec_/);
  expect(body.secret).not.toBe(endpoint.secret);
  expect(body.version).toBe(2);
  expect(hoursUntil(body.previous_secret_expires_at)).toBeCloseTo(24, 1);
  expect(await signers([body.secret, endpoint.secret])).toEqual([body.secret, endpoint.secret]);
});

test('overlap_seconds sets the overlap; afterwards only the new secret signs', async () => {
  const { body } = await rotate({ overlap_seconds: 1 });
  await until(async () => {
    const read = await customer.viewer.get(`/v1/endpoints/${endpoint.id}`);
    return read.body.previous_secret_expires_at === null;
  });
  expect(await signers([body.secret, endpoint.secret])).toEqual([body.secret]);
});

test('with overlap_seconds 0 the old secret is out at once', async () => {
  const { body } = await rotate({ overlap_seconds: 0 });
  expect(body.previous_secret_expires_at).toBeNull();
  expect(await signers([body.secret, endpoint.secret])).toEqual([body.secret]);
});

test('a second rotation inside the overlap drops the oldest', async () => {
  const second = (await rotate()).body.secret;
  const third = (await rotate()).body.secret;
  expect(await signers([third, second, endpoint.secret])).toEqual([third, second]);
});

test.each([-1, 1.5, '60', null, 1e12])('overlap_seconds %p is 400', async (overlap_seconds) => {
  const answer = await rotate({ overlap_seconds });
  expect(answer).toEqual(aProblem(400, 'invalid_request'));
  expect(answer.body.errors[0].pointer).toBe('/overlap_seconds');
});

function hoursUntil(time: string): number {
  return (Date.parse(time) - Date.now()) / 3_600_000;
}

/** Posts an event and answers which of the secrets the arriving webhook is signed with, in the order of its headers. */
async function signers(secrets: string[]): Promise<string[]> {
  const { body } = await customer.producer.post('/v1/drift-events', aDriftEvent());
  const id = body.deliveries[0].id;
  const isOurs = ({ headers }: { headers: object }) => Object.values(headers).includes(id);
  const { headers, body: sent } = await until(() => stack.receiver.requests.find(isOurs));
  const signatures = [headers['x-signature'], headers['x-signature-previous']].filter((text) => text !== undefined);
  expect(`${headers['webhook-signature']}`.split(' ')).toHaveLength(signatures.length);
  return signatures.map((signature) => {
    const secret = secrets.find(
      (candidate) => createHmac('sha256', candidate).update(sent).digest('hex') === signature,
    );
    return secret ?? 'another secret';
  });
}
