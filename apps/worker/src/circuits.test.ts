import type { Claim, FailingEndpoint, Granted, Probe } from '@driftwire/database';
import type { Outcome } from '@driftwire/delivery';
import { expect, test } from '@jest/globals';
import { type CircuitsDeps, createCircuits } from './circuits.js';

const OK: Outcome = { kind: 'response', status: 200, retryAfterMs: null };
const ERROR: Outcome = { kind: 'response', status: 500, retryAfterMs: null };
const LATER: Outcome = { kind: 'response', status: 429, retryAfterMs: 90_000 };
const TIMEOUT: Outcome = { kind: 'timeout', error: 'Timed out' };

test('ten that fail in a row over half a minute open the circuit, once', async () => {
  const { circuits, opened, pass, fail } = setup();
  for (let n = 0; n < 9; n += 1) await fail(`delivery-${n}`);
  pass(29_900);
  await fail('delivery-9');
  expect(opened).toEqual([]);
  pass(100);
  await fail('delivery-10');
  expect(opened).toEqual([{ endpointId: 'endpoint-1', version: 4, failures: 11, forMs: 30_000, notBeforeMs: 0 }]);
  await fail('delivery-11');
  expect(opened).toHaveLength(1);
  expect(circuits.isFailing('endpoint-1')).toBe(false);
});

test('a success in between, another version of the endpoint, and what says nothing about it', async () => {
  const { circuits, opened, pass, fail, attempt } = setup();
  for (let n = 0; n < 9; n += 1) await fail(`delivery-${n}`);
  expect(circuits.isFailing('endpoint-1')).toBe(true);
  await attempt('delivery-9', OK);
  expect(circuits.isFailing('endpoint-1')).toBe(false);
  for (let n = 0; n < 9; n += 1) await fail(`delivery-${n}`);
  pass(60_000);
  await attempt('delivery-9', LATER);
  await attempt('delivery-9', ERROR, { version: 5 });
  expect(opened).toEqual([]);
});

test('four that time out open it at once, since the first of them began', async () => {
  const { opened, attempt } = setup();
  for (let n = 0; n < 4; n += 1) await attempt(`delivery-${n}`, TIMEOUT, { durationMs: 15_000 });
  expect(opened).toMatchObject([{ failures: 4, forMs: 15_000 }]);
});

test('of many that time out together four are enough, and those that begin afterwards begin anew', async () => {
  const { opened, attempt, pass } = setup();
  for (let n = 0; n < 60; n += 1) await attempt(`delivery-${n}`, TIMEOUT, { durationMs: 15_000 });
  expect(opened).toHaveLength(1);
  pass(15_000);
  for (let n = 0; n < 60; n += 1) await attempt(`delivery-${n}`, TIMEOUT, { durationMs: 14_000 });
  expect(opened).toHaveLength(2);
});

test('statements about circuits go one after another', async () => {
  let underWay = 0;
  let most = 0;
  const { attempt } = setup({
    putOff: async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return true;
    },
  });
  await Promise.all(['a', 'b', 'c'].map((deliveryId) => attempt(deliveryId, TIMEOUT, { isProbe: true })));
  expect(most).toBe(1);
});

test('the first probe comes no sooner than the receiver asks, and an hour later at most', async () => {
  const { opened, attempt, pass } = setup();
  const later = (retryAfterMs: number): Outcome => ({ kind: 'response', status: 503, retryAfterMs });
  for (const retryAfterMs of [120_000, 86_400_000]) {
    for (let n = 0; n < 9; n += 1) await attempt(`delivery-${n}`, ERROR);
    pass(30_000);
    await attempt('delivery-9', later(retryAfterMs));
  }
  expect(opened).toMatchObject([{ notBeforeMs: 120_000 }, { notBeforeMs: 3_600_000 }]);
});

test('a probe that succeeds closes it; one that fails is put off, by as much as the receiver asks', async () => {
  const { closed, putOff, attempt } = setup();
  expect(await attempt('delivery-1', ERROR, { isProbe: true })).toBe(false);
  expect(await attempt('delivery-2', LATER, { isProbe: true })).toBe(false);
  expect(await attempt('delivery-3', OK, { isProbe: true })).toBe(true);
  expect(putOff).toEqual([
    { deliveryId: 'delivery-1', isFailure: true, notBeforeMs: 0 },
    { deliveryId: 'delivery-2', isFailure: false, notBeforeMs: 90_000 },
  ]);
  expect(closed).toEqual([{ endpointId: 'endpoint-1', deliveryId: 'delivery-3' }]);
});

test('a probe that another has overtaken closes nothing', async () => {
  const { attempt } = setup({ close: async () => false });
  expect(await attempt('delivery-1', OK, { isProbe: true })).toBe(false);
});

test('while Postgres is away nothing is opened or closed, and the delivery goes its way', async () => {
  const away = async () => Promise.reject(new Error('away'));
  const { attempt, said } = setup({ open: away, close: away });
  for (let n = 0; n < 4; n += 1) await attempt(`delivery-${n}`, TIMEOUT);
  expect(await attempt('delivery-5', OK, { isProbe: true })).toBe(false);
  expect(said).toEqual(['failed: endpoint-1', 'failed: endpoint-1']);
});

test('what is taken as a probe is run', async () => {
  const probe = { deliveryId: 'delivery-1', endpointId: 'endpoint-1' } as Granted;
  const { circuits, ran, said } = setup({ takeProbes: async () => [probe] });
  await circuits.probe(['endpoint-1']);
  expect(ran).toEqual([probe]);
  expect(said).toEqual(['probed: endpoint-1']);
});

function setup(overrides: Partial<CircuitsDeps> = {}) {
  let nowMs = 1_000_000;
  const opened: FailingEndpoint[] = [];
  const closed: Probe[] = [];
  const putOff: object[] = [];
  const ran: Granted[] = [];
  const said: string[] = [];
  const circuits = createCircuits({
    open: async (endpoint) => opened.push(endpoint) > 0,
    close: async (probe) => closed.push(probe) > 0,
    putOff: async ({ deliveryId }, how) => putOff.push({ deliveryId, ...how }) > 0,
    takeProbes: async () => [],
    run: (probe) => ran.push(probe),
    observe: {
      opened: ({ endpointId }) => said.push(`opened: ${endpointId}`),
      probed: ({ endpointId }) => said.push(`probed: ${endpointId}`),
      closed: ({ endpoint }) => said.push(`closed: ${endpoint.id}`),
      failed: (endpointId) => said.push(`failed: ${endpointId}`),
    },
    policy: { afterFailures: 10, afterMs: 30_000 },
    now: () => nowMs,
    ...overrides,
  });
  const attempt = (deliveryId: string, outcome: Outcome, { isProbe = false, version = 4, durationMs = 0 } = {}) =>
    circuits.attempted({ deliveryId, isProbe, endpoint: { id: 'endpoint-1', version } } as Claim, {
      outcome,
      durationMs,
    });
  return {
    ...{ circuits, opened, closed, putOff, ran, said, attempt },
    fail: (deliveryId: string) => attempt(deliveryId, ERROR),
    pass(ms: number) {
      nowMs += ms;
    },
  };
}
