import { type Stack, startStack } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack.close();
});

test('a 200 ends the delivery: success, one attempt, its code', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  const event = await stack.postEvent(customerId);
  const delivery = await stack.deliveryIn('success', event.deliveries[0].id);
  expect(delivery).toMatchObject({ attempt_count: 1, response_code: 200, failure_reason: null, next_attempt_at: null });
});

test('500, 500, 200: success on the third attempt', async () => {
  stack.receiver.reply([500, 500, 200]);
  const { customerId } = await stack.customerWithEndpoint();
  const event = await stack.postEvent(customerId);
  const delivery = await stack.deliveryIn('success', event.deliveries[0].id);
  expect(delivery.attempts.map((attempt: { response_code: number }) => attempt.response_code)).toEqual([500, 500, 200]);
});
