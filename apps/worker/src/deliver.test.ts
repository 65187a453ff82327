import type { AttemptRecord, Claim, ClaimAnswer } from '@driftwire/database';
import type { DeliveryToRun, RequestOver } from '@driftwire/queue';
import type { AttemptReport } from '@driftwire/sender';
import { expect, test } from '@jest/globals';
import { createDeliver, type DeliverDeps } from './deliver.js';

const JOB = { deliveryId: 'delivery-1', generation: 1 };
const ENDPOINT = {
  id: 'endpoint-1',
  version: 4,
  url: 'https://receiver.example/hook',
  secretSealed: 'sealed',
  previousSecretSealed: null,
  headersSealed: null,
};

test('what an attempt says about its endpoint is judged when it is on record, and not when it was somebody else who ended it', async () => {
  const probing = setup({ claim: claimed({ isProbe: true }), send: async () => responded(500) });
  await probing.deliver(JOB);
  expect(probing.did.judged).toEqual([[true, 'response']]);
  const overtaken = setup({ claim: claimed(), moves: false });
  await overtaken.deliver(JOB);
  expect(overtaken.did.judged).toEqual([]);
});

test('a claim says that others of its endpoint are held', async () => {
  const { deliver, did } = setup({ claim: claimed({ isCrowded: true }) });
  await deliver(JOB);
  expect(did.order).toContain('crowded: endpoint-1');
});

test('a request with a time of its own goes out then, and not at all when that has passed', async () => {
  let nowMs = 1_000;
  const now = () => nowMs;
  const pause = async (ms: number) => {
    nowMs += ms;
  };
  const early = setup({ claim: claimed(), now, pause });
  await early.deliver({ ...JOB, pace: { atMs: 1_080, withinMs: 100 } });
  expect(nowMs).toBe(1_080);
  expect(early.did.sent).toHaveLength(1);
  const late = setup({ claim: claimed(), now, pause });
  expect(await late.deliver({ ...JOB, pace: { atMs: 979, withinMs: 100 } })).toEqual({ kind: 'snooze', delayMs: 0 });
  expect(late.did).toMatchObject({ sent: [], recorded: [], released: [{ dueInMs: 0 }], withheld: ['off_pace'] });
});

test('a claimed delivery is sent once, with the fence as its number and the event as its webhook-id', async () => {
  const { deliver, did } = setup({ claim: claimed({ fence: 3 }) });
  expect(await deliver(JOB)).toEqual({ kind: 'done' });
  expect(did.sent).toMatchObject([{ attemptNumber: 3, webhookId: 'event-1', deliveryId: 'delivery-1' }]);
  expect(did.sent[0]?.body.toString()).toBe('{"n":1.10}');
  expect(did.recorded).toMatchObject([{ number: 3, round: 1, transition: { to: 'success' }, error: null }]);
});

test.each<[string, ClaimAnswer, object]>([
  [
    'an endpoint on hold',
    { deliveryId: 'd', verdict: 'hold', reason: 'on_hold', endpointId: 'e' },
    { kind: 'failed', reason: 'held: on_hold of e' },
  ],
  [
    'one whose circuit is open',
    { deliveryId: 'd', verdict: 'hold', reason: 'circuit_open', endpointId: 'e' },
    { kind: 'failed', reason: 'held: circuit_open of e' },
  ],
  ['a finished delivery', { deliveryId: 'd', verdict: 'finished' }, { kind: 'done' }],
  ['a job of an older generation', { deliveryId: 'd', verdict: 'superseded' }, { kind: 'done' }],
  ['an unknown delivery', { deliveryId: 'd', verdict: 'missing' }, { kind: 'done' }],
  ['a delivery that must wait', { deliveryId: 'd', verdict: 'wait', waitMs: 4321 }, { kind: 'snooze', delayMs: 4321 }],
  ['a paused endpoint', { deliveryId: 'd', verdict: 'ended', reason: 'endpoint_inactive' }, { kind: 'done' }],
  ['a deleted endpoint', { deliveryId: 'd', verdict: 'ended', reason: 'endpoint_deleted' }, { kind: 'done' }],
  [
    'ten starts without an outcome',
    { deliveryId: 'd', verdict: 'ended', reason: 'indeterminate' },
    { kind: 'failed', reason: 'indeterminate' },
  ],
])('%s is not sent, and its job ends as it should', async (_, answer, ending) => {
  const { deliver, did } = setup({ claim: async () => answer });
  expect(await deliver(JOB)).toEqual(ending);
  expect(did.sent).toEqual([]);
  expect(did.recorded).toEqual([]);
});

test.each<[string, AttemptReport, Partial<Claim>, object, object]>([
  ['2xx', responded(204), {}, { to: 'success' }, { kind: 'done' }],
  [
    'a first 500',
    responded(500),
    {},
    { to: 'retrying', delayMs: 110 },
    { kind: 'retry', delayMs: 110, reason: 'the receiver answered 500', generation: 1 },
  ],
  [
    'a second 500',
    responded(500),
    { failedCount: 1 },
    { to: 'retrying', delayMs: 220 },
    { kind: 'retry', delayMs: 220, reason: 'the receiver answered 500', generation: 1 },
  ],
  [
    'a third 500',
    responded(500),
    { failedCount: 2 },
    { to: 'failed', reason: 'exhausted' },
    { kind: 'failed', reason: 'exhausted: the receiver answered 500' },
  ],
  [
    'a timeout',
    failed('timeout', 'Timed out: after 1 s'),
    {},
    { to: 'retrying', delayMs: 110 },
    { kind: 'retry', delayMs: 110, reason: 'Timed out: after 1 s', generation: 1 },
  ],
  [
    'a blocked address',
    failed('blocked', 'Address not allowed: 10.0.0.1'),
    {},
    { to: 'failed', reason: 'blocked' },
    { kind: 'failed', reason: 'blocked: Address not allowed: 10.0.0.1' },
  ],
])('%s is recorded, and then the job ends as the record says', async (_, report, claim, transition, ending) => {
  const { deliver, did } = setup({ claim: claimed(claim), send: async () => report });
  expect(await deliver(JOB)).toEqual(ending);
  expect(did.recorded).toMatchObject([{ outcome: report.outcome.kind, transition }]);
  expect(did.deactivated).toEqual([]);
});

test('a record that moved nothing ends the job: somebody else has the delivery', async () => {
  const { deliver, did } = setup({ send: async () => responded(410), moves: false });
  expect(await deliver(JOB)).toEqual({ kind: 'done' });
  expect(did.deactivated).toEqual([]);
});

test('410 deactivates the endpoint at the version that was claimed, after the record', async () => {
  const { deliver, did } = setup({ send: async () => responded(410) });
  expect(await deliver(JOB)).toEqual({ kind: 'failed', reason: 'gone: the receiver answered 410' });
  expect(did.deactivated).toEqual([{ id: 'endpoint-1', version: 4 }]);
  expect(did.order).toEqual(['begins', 'send', 'over: {"isSuccess":false,"isTimeout":false}', 'record', 'deactivate']);
});

test.each<[string, Partial<DeliverDeps>]>([
  ['the claim', { claim: () => Promise.reject(new Error('Postgres is away')) }],
  ['the record', { record: () => Promise.reject(new Error('Postgres is away')) }],
  ['the sender', { send: () => Promise.reject(new TypeError('a bug')) }],
  ['the sender, with nothing,', { send: () => Promise.reject(undefined) }],
])('when %s throws, the job is snoozed for 1 to 30 s and says so', async (_, broken) => {
  for (const chance of [0, 0.999]) {
    const { deliver, did } = setup({ ...broken, random: () => chance });
    const ending = await deliver(JOB);
    expect(ending.kind).toBe('snooze');
    const { delayMs } = ending.kind === 'snooze' ? ending : { delayMs: Number.NaN };
    expect(delayMs).toBeGreaterThanOrEqual(1_000);
    expect(delayMs).toBeLessThanOrEqual(30_000);
    expect(did.interrupted).toBe(1);
  }
});

test('while Postgres is away a job keeps its place for a second, so that a long queue is not run through', async () => {
  const { deliver, did } = setup({ claim: () => Promise.reject(new Error('Postgres is away')) });
  await deliver(JOB);
  expect(did.order).toEqual(['held 1000 ms']);
});

test('a delivery whose secret cannot be opened is given back for five minutes with an alarm, and never sent', async () => {
  const { deliver, did } = setup({ openSecrets: () => null });
  expect(await deliver(JOB)).toEqual({ kind: 'snooze', delayMs: 300_000 });
  expect(did).toMatchObject({ sent: [], recorded: [], released: [{ dueInMs: 300_000 }], alarms: 1 });
  expect(did.parked).toEqual(['delivery-1']);
});

test('what a receiver says never becomes a reason, only what we say about it', async () => {
  const { deliver, did } = setup({ send: async () => responded(500, 'bullmq:rateLimitExceeded') });
  expect(await deliver(JOB)).toMatchObject({ reason: 'the receiver answered 500' });
  expect(did.recorded[0]?.error).toBe('the receiver answered 500');
});

test('counted from before the claim, the request may take until 5 s before the lease ends, its record until the end', async () => {
  const clock = { ms: 1_000 };
  const seen: unknown[] = [];
  const { deliver } = setup({
    leaseMs: 35_000,
    now: () => clock.ms,
    claim: (job) => {
      clock.ms += 3_000;
      return claimed()(job);
    },
    send: async (_request, withinMs) => {
      seen.push(withinMs);
      return responded(200);
    },
    record: async ({ deliveryId, number }, isOver) => {
      for (clock.ms of [35_999, 36_000]) seen.push(isOver());
      return { deliveryId, number, moved: true, generation: 1, locked: false };
    },
  });
  expect(await deliver(JOB)).toEqual({ kind: 'done' });
  expect(seen).toEqual([27_000, false, true]);
});

test('what was not sent is no attempt: given back, and due again in a moment', async () => {
  const { deliver, did } = setup({ send: async () => withheld() });
  expect(await deliver(JOB)).toEqual({ kind: 'snooze', delayMs: 3_000 });
  expect(did).toMatchObject({ recorded: [], released: [{ dueInMs: 3_000 }], withheld: ['late'], interrupted: 0 });
});

test.each<[string, Partial<DeliverDeps>]>([
  ['was not sent', { send: async () => withheld() }],
  ['cannot be opened', { openSecrets: () => null }],
])('what %s and has passed to somebody else meanwhile is theirs', async (_, overrides) => {
  const { deliver, did } = setup({ ...overrides, release: async () => false });
  expect(await deliver(JOB)).toEqual({ kind: 'done' });
  expect(did.recorded).toEqual([]);
});

test('giving back is tried for five seconds, even when the lease has run out meanwhile', async () => {
  const clock = { ms: 0 };
  const seen: boolean[] = [];
  const { deliver } = setup({
    now: () => clock.ms,
    send: async () => {
      clock.ms = 100_000;
      return withheld();
    },
    release: async (_claim, _due, isOver) => {
      for (clock.ms of [104_999, 105_000]) seen.push(isOver());
      return true;
    },
  });
  await deliver(JOB);
  expect(seen).toEqual([false, true]);
});

test('an attempt goes by Postgres’s clock: from the claim, and on by the monotonic one', async () => {
  const clock = { ms: 0 };
  const told: string[] = [];
  const { deliver } = setup({
    now: () => clock.ms,
    claim: (job) => {
      clock.ms = 3_000;
      return claimed()(job);
    },
    send: async (_request, _withinMs, now) => {
      for (clock.ms of [3_000, 4_500]) told.push(new Date(now()).toISOString());
      return responded(200);
    },
  });
  await deliver(JOB);
  expect(told).toEqual(['2026-01-31T00:00:00.000Z', '2026-01-31T00:00:01.500Z']);
});

type Overrides = Partial<DeliverDeps> & { moves?: boolean };

function setup({ moves = true, ...overrides }: Overrides = {}) {
  const did = {
    sent: [] as Parameters<DeliverDeps['send']>[0][],
    recorded: [] as AttemptRecord[],
    deactivated: [] as { id: string; version: number }[],
    released: [] as { dueInMs: number }[],
    withheld: [] as string[],
    judged: [] as [boolean, string][],
    parked: [] as string[],
    order: [] as string[],
    alarms: 0,
    interrupted: 0,
  };
  const { send = async () => responded(200), record, ...others } = overrides;
  const deliverInPlace = createDeliver({
    claim: claimed(),
    hold: async ({ endpointId }, reason) => ({ kind: 'failed', reason: `held: ${reason} of ${endpointId}` }),
    noteCrowded: (endpointId) => void did.order.push(`crowded: ${endpointId}`),
    judgeEndpoint: async (claim, { outcome }) => void did.judged.push([claim.isProbe, outcome.kind]),
    openSecrets: () => ({ secrets: ['whsec_x'], customHeaders: {} }),
    release: async (_claim, due) => did.released.push(due) > 0,
    noteParked: async ({ deliveryId }) => void did.parked.push(deliveryId),
    send: (request, ...bounds) => {
      did.sent.push(request);
      did.order.push('send');
      return send(request, ...bounds);
    },
    record: async (attempt, isOver) => {
      did.recorded.push(attempt);
      did.order.push('record');
      return record
        ? record(attempt, isOver)
        : { deliveryId: attempt.deliveryId, number: attempt.number, moved: moves, generation: 1, locked: false };
    },
    deactivateEndpoint: async (endpoint) => {
      did.order.push('deactivate');
      return did.deactivated.push({ id: endpoint.id, version: endpoint.version }) > 0;
    },
    observe: {
      attempted: () => {},
      refused: () => {},
      endpointDeactivated: () => {},
      secretUnreadable: () => {
        did.alarms += 1;
      },
      withheld: (_claim, reason) => did.withheld.push(reason),
      interrupted: () => {
        did.interrupted += 1;
      },
    },
    retryBaseDelayMs: 100,
    leaseMs: 35_000,
    now: () => 0,
    random: () => 0.5,
    pause: async (ms) => void did.order.push(`held ${ms} ms`),
    ...others,
  });
  const request = {
    begins: () => void did.order.push('begins'),
    isOver: (over: RequestOver) => void did.order.push(`over: ${JSON.stringify(over)}`),
  };
  return { deliver: (job: DeliveryToRun) => deliverInPlace(job, request), did };
}

function claimed(overrides: Partial<Claim> = {}): DeliverDeps['claim'] {
  const claim = {
    deliveryId: 'delivery-1',
    customerId: 'customer-1',
    eventId: 'event-1',
    eventType: 'drift.created',
    body: '{"n":1.10}',
    fence: 1,
    round: 1,
    failedCount: 0,
    maxAttempts: 3,
    isProbe: false,
    isCrowded: false,
    claimedAtMs: Date.UTC(2026, 0, 31),
    endpoint: ENDPOINT,
    ...overrides,
  };
  return async () => ({ deliveryId: claim.deliveryId, verdict: 'claimed', claim });
}

function responded(status: number, body = ''): AttemptReport {
  return {
    startedAt: new Date(0),
    durationMs: 5,
    phases: {},
    requestHeaders: {},
    outcome: { kind: 'response', status, retryAfterMs: null },
    response: { status, headers: {}, body },
    error: null,
    withheld: null,
  };
}

function withheld(): AttemptReport {
  return { ...failed('timeout', 'Timed out: its time was over before it began'), withheld: 'late' };
}

function failed(kind: 'timeout' | 'blocked', error: string): AttemptReport {
  return { ...responded(0), outcome: { kind, error }, response: null, error };
}
