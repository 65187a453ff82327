import { type ApiAnswer, type Reply, type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postDelivery } from './delivery.js';

const BASE_MS = 1_000;
/** Between the end of a request and the database's clock when it is recorded; and how late a busy machine may be. */
const SLACK_MS = 300;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: { RETRY_BASE_DELAY_MS: `${BASE_MS}`, REQUEST_TIMEOUT_MS: '300' } });
});
afterAll(() => stack.close());

test('500 is retrying: attempt_count 1, and the next attempt after base, then 2 × base, each on time', async () => {
  const { id, requests } = await postDelivery(stack, { replies: 500 });
  const first = await retryingAfter(id, 1);
  expect(first).toMatchObject({ attempt_count: 1, response_code: 500, completed_at: null });
  expectWithin(delayOf(first), BASE_MS, 1.2 * BASE_MS);

  const second = await retryingAfter(id, 2);
  expectWithin(delayOf(second), 2 * BASE_MS, 2.4 * BASE_MS);
  const latenessMs = (requests()[1]?.at ?? 0) - Date.parse(first.next_attempt_at);
  expect(latenessMs).toBeGreaterThanOrEqual(-100);
  expect(latenessMs).toBeLessThan(SLACK_MS);
});

test('a timeout is retrying, with the outcome timeout and no response code', async () => {
  const { id } = await postDelivery(stack, { replies: 'hang' });
  const delivery = await retryingAfter(id, 1);
  expect(delivery).toMatchObject({ response_code: null, attempts: [{ outcome: 'timeout', response_code: null }] });
  expect(delivery.last_error).toMatch(/^Timed out: /);
});

test('a redirect is not followed and counts as a failure', async () => {
  const location = `${stack.receiver.url}/elsewhere`;
  const { id } = await postDelivery(stack, { replies: { status: 301, headers: { location } } });
  expect(await retryingAfter(id, 1)).toMatchObject({ response_code: 301 });
  expect(stack.receiver.requests.map(({ path }) => path)).not.toContain('/elsewhere');
});

test.each<[string, Reply, [number, number]]>([
  ['429 and 3 seconds', asking(429, '3'), [3_000, 3_000]],
  ['503 and 3 seconds', asking(503, '3'), [3_000, 3_000]],
  ['503 and a date', asking(503, new Date(Date.now() + 3_600_000).toUTCString()), [3_580_000, 3_600_000]],
  ['more than an hour', asking(429, '1000000000000'), [3_600_000, 3_600_000]],
  ['less than the base', asking(429, '0'), [BASE_MS, 1.2 * BASE_MS]],
  ['a date that is past', asking(503, 'Sun, 06 Nov 1994 08:49:37 GMT'), [BASE_MS, 1.2 * BASE_MS]],
  ['nonsense', asking(429, '-5'), [BASE_MS, 1.2 * BASE_MS]],
  ['500, which may not ask', asking(500, '60'), [BASE_MS, 1.2 * BASE_MS]],
])('Retry-After stretches the delay and never shortens it: %s', async (_, reply, [atLeastMs, atMostMs]) => {
  const { id } = await postDelivery(stack, { replies: reply });
  expectWithin(delayOf(await retryingAfter(id, 1)), atLeastMs, atMostMs);
});

test('a delivery waiting for its retry is cancelled when its endpoint is paused, and not sent', async () => {
  const { id, endpoint, requests } = await postDelivery(stack, { replies: [asking(503, '3'), 200] });
  await retryingAfter(id, 1);
  await stack.api.patch(`/v1/endpoints/${endpoint.id}`, { active: false });
  expect(await stack.deliveryIn('cancelled', id)).toMatchObject({
    failure_reason: 'endpoint_inactive',
    attempt_count: 1,
  });
  expect(requests()).toHaveLength(1);
});

test('a delivery waiting for its retry is cancelled when its endpoint is deleted, and not sent', async () => {
  const { id, endpoint, requests } = await postDelivery(stack, { replies: [asking(503, '3'), 200] });
  await retryingAfter(id, 1);
  await stack.api.delete(`/v1/endpoints/${endpoint.id}`);
  expect(await stack.deliveryIn('cancelled', id)).toMatchObject({
    failure_reason: 'endpoint_deleted',
    attempt_count: 1,
  });
  expect(requests()).toHaveLength(1);
});

function asking(status: number, retryAfter: string): Reply {
  return { status, headers: { 'retry-after': retryAfter } };
}

/** The delivery, once so many of its attempts are on record and it waits for the next. */
function retryingAfter(id: string, attempts: number): Promise<ApiAnswer['body']> {
  return until(async () => {
    const { body } = await stack.api.get(`/v1/deliveries/${id}`);
    return body.status === 'retrying' && body.attempts.length === attempts && body;
  });
}

/** From the end of the last attempt to the next one. */
function delayOf({ attempts, next_attempt_at }: ApiAnswer['body']): number {
  const last = attempts.at(-1);
  return Date.parse(next_attempt_at) - Date.parse(last.started_at) - last.duration_ms;
}

function expectWithin(actualMs: number, atLeastMs: number, atMostMs: number): void {
  expect(actualMs).toBeGreaterThanOrEqual(atLeastMs - 1);
  expect(actualMs).toBeLessThanOrEqual(atMostMs + SLACK_MS);
}
