// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Acceptance, acceptEvents, type EventToAccept, isPostgresUnavailable, oldestDueMs } from '../src/index.js';
import { anEvent, type Setup, setup } from './setup.js';

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const acceptRequests = (...requests: EventToAccept[][]) => acceptEvents(at.direct, requests, { maxAttempts: 5 });
const accept = async (...events: EventToAccept[]) => (await acceptRequests(events)).flat();
const kinds = (acceptances: Acceptance[]) => acceptances.map(({ kind }) => kind);
const keyed = (customerId: string, key: string, bodyHash = '00') =>
  anEvent(customerId, { idempotency: { key, bodyHash } });
const eventsOf = (customerId: string) => at.prisma.driftEvent.count({ where: { customerId } });

test('an event is stored with a delivery that is due at once, has a deadline, and keeps its cap', async () => {
  const customerId = await at.aCustomer();
  const endpoint = await at.anEndpoint(customerId);
  const event = anEvent(customerId);
  const [acceptance] = await accept(event);
  const deliveries = [
    { id: expect.any(String), endpointId: endpoint.id, generation: 1, status: 'pending', jobId: null, isHeld: false },
  ];
  expect(acceptance).toEqual({ kind: 'created', deliveries });
  const [row] = await at.prisma.delivery.findMany({ where: { eventId: event.id } });
  expect(row).toMatchObject({ status: 'pending', maxAttempts: 5, fence: 1, starts: 0, generation: 1, round: 1 });
  expect(row?.nextAttemptAt?.getTime()).toBeLessThanOrEqual(Date.now());
  expect(row?.recoverAt?.getTime()).toBeGreaterThan(Date.now());
});

test('the answers are in the order of the input, whatever the order of the keys', async () => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId, { eventTypes: ['only.this'] });
  await accept(keyed(customerId, 'b'));
  const answers = await accept(
    keyed(customerId, 'z'),
    keyed(customerId, 'b'),
    anEvent(customerId, { eventType: 'only.this', patterns: ['only.this'] }),
    keyed(customerId, 'a'),
  );
  expect(kinds(answers)).toEqual(['created', 'replayed', 'created', 'created']);
  expect(answers.map((answer) => (answer.kind === 'created' ? answer.deliveries.length : -1))).toEqual([0, -1, 1, 0]);
});

test('a replay answers the id of the first event', async () => {
  const customerId = await at.aCustomer();
  const first = keyed(customerId, 'k');
  await accept(first);
  expect(await accept(keyed(customerId, 'k'))).toEqual([{ kind: 'replayed', eventId: first.id }]);
});

test('one conflict and nothing of the input is stored, its keys neither', async () => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  await accept(keyed(customerId, 'k', '00'));
  const answers = await accept(keyed(customerId, 'new'), keyed(customerId, 'k', '01'), anEvent(customerId));
  expect(kinds(answers)[1]).toBe('conflict');
  expect(await eventsOf(customerId)).toBe(1);
  expect(await at.prisma.delivery.count({ where: { customerId } })).toBe(1);
  expect(await at.prisma.idempotencyKey.count({ where: { customerId } })).toBe(1);
});

test('a conflict rejects the request it is in and none of those beside it', async () => {
  const [customerId, otherId] = [await at.aCustomer(), await at.aCustomer()];
  await accept(keyed(customerId, 'k', '00'));
  const answers = await acceptRequests(
    [keyed(customerId, 'before')],
    [keyed(customerId, 'new'), keyed(customerId, 'k', '01')],
    [keyed(otherId, 'k', '01'), anEvent(customerId)],
  );
  expect(answers.map(kinds)).toEqual([['created'], [expect.anything(), 'conflict'], ['created', 'created']]);
  const keys = await at.prisma.idempotencyKey.findMany({ where: { customerId }, orderBy: { key: 'asc' } });
  expect(keys.map(({ key }) => key)).toEqual(['before', 'k']);
  expect(await eventsOf(customerId)).toBe(3);
  expect(await eventsOf(otherId)).toBe(1);
});

test('of twins at the same moment one is created, the others replay it', async () => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const answers = (await Promise.all(Array.from({ length: 20 }, () => accept(keyed(customerId, 'k'))))).flat();
  expect(kinds(answers).filter((kind) => kind === 'created')).toHaveLength(1);
  const ids = answers.flatMap((answer) => (answer.kind === 'replayed' ? [answer.eventId] : []));
  expect(ids).toHaveLength(19);
  expect(new Set(ids).size).toBe(1);
  expect(await eventsOf(customerId)).toBe(1);
});

test('a twin that commits while the statement already runs is replayed', async () => {
  const customerId = await at.aCustomer();
  const other = await openTransaction();
  const eventId = await other.storeTwin(customerId, 'k');
  const answer = accept(keyed(customerId, 'k'));
  await until(async () => (await at.waiting()) === 1);
  await other.commit();
  expect(await answer).toEqual([{ kind: 'replayed', eventId }]);
});

test('keys are taken in their order, so that two inputs cannot wait for each other', async () => {
  const customerId = await at.aCustomer();
  const other = await openTransaction();
  await other.storeTwin(customerId, 'a');
  const answers = accept(keyed(customerId, 'b'), keyed(customerId, 'a'));
  await until(async () => (await at.waiting()) === 1);
  await other.storeTwin(customerId, 'b');
  await other.commit();
  expect(kinds(await answers)).toEqual(['replayed', 'replayed']);
});

test.each([-21_000, 21_000, -86_400_000])(
  'an event whose time is too far from now (%d ms) is not stored, nor is anything with it, and Postgres is said to be away',
  async (ms) => {
    const customerId = await at.aCustomer();
    const events = [anEvent(customerId), anEvent(customerId, { createdAt: new Date(Date.now() + ms) })];
    const refused = await acceptEvents(at.direct, [events], { maxAttempts: 5, withinMs: 20_000 }).catch(
      (error) => error,
    );
    expect(isPostgresUnavailable(refused)).toBe(true);
    expect(await eventsOf(customerId)).toBe(0);
  },
);

test('an event that is near enough to now is stored, and one that is known is replayed however late', async () => {
  const customerId = await at.aCustomer();
  const near = { createdAt: new Date(Date.now() - 15_000), idempotency: { key: 'k', bodyHash: '00' } };
  const late = { ...near, createdAt: new Date(Date.now() - 60_000) };
  const accepted = async (event: Partial<EventToAccept>) =>
    kinds((await acceptEvents(at.direct, [[anEvent(customerId, event)]], { maxAttempts: 5, withinMs: 20_000 })).flat());
  expect(await accepted(near)).toEqual(['created']);
  expect(await accepted(late)).toEqual(['replayed']);
});

/** Somebody else who accepts events with keys, and has not committed yet. */
async function openTransaction() {
  const client = new pg.Client({ connectionString: at.url });
  await client.connect();
  await client.query('BEGIN');
  return {
    async storeTwin(customerId: string, key: string): Promise<string> {
      const { id } = anEvent(customerId);
      const values = `$1, $2, 'drift.created', 'MEAN', 0.5, $1, '', '', now()`;
      await client.query(`INSERT INTO drift_events VALUES (${values})`, [id, customerId]);
      await client.query("INSERT INTO idempotency_keys VALUES ($1, $2, $3, '\\x00')", [customerId, key, id]);
      return id;
    },
    async commit() {
      await client.query('COMMIT');
      await client.end();
    },
  };
}

test('text is stored as it is', async () => {
  const customerId = await at.aCustomer();
  const body = `{"a":"\\\\ '' , {} NULL","b":"😀 \u2028","c":1.10}`;
  const event = anEvent(customerId, { body, driftType: '{"a",NULL}', idempotency: { key: `',"{}\\`, bodyHash: 'ff' } });
  await accept(event);
  const stored = await at.prisma.driftEvent.findUniqueOrThrow({
    where: { id: event.id },
    include: { idempotencyKeys: true },
  });
  expect(stored).toMatchObject({ body, driftType: '{"a",NULL}', idempotencyKeys: [{ key: `',"{}\\` }] });
});

test('events of two customers in one statement have deliveries for endpoints of their own customers only', async () => {
  const customers = await Promise.all([at.aCustomer(), at.aCustomer()]);
  const endpoints = await Promise.all(customers.map((customerId) => at.anEndpoint(customerId)));
  const events = customers.map((customerId) => anEvent(customerId));
  await acceptEvents(at.direct, [events.slice(0, 1), events.slice(1)], { maxAttempts: 3 });
  const eventId = { in: events.map(({ id }) => id) };
  const stored = await at.prisma.delivery.findMany({ where: { eventId }, orderBy: { id: 'asc' } });
  const expected = events.map(({ id, customerId }, index) => [customerId, id, endpoints[index]?.id]);
  const rows = stored.map((delivery) => [delivery.customerId, delivery.eventId, delivery.endpointId]);
  expect(rows.toSorted()).toEqual(expected.toSorted());
});

test.each([
  ['without a deadline', { recoverAt: null }],
  ['without a time at which it is due', { nextAttemptAt: null }],
  ['that is held and has a deadline', { holdReason: 'crowded' as const }],
])('an unfinished delivery %s cannot be stored', async (_, data) => {
  const { id } = await at.aDelivery();
  await expect(at.prisma.delivery.update({ where: { id }, data })).rejects.toThrow(
    /deliveries_unfinished_is_due_or_held/,
  );
});

test('behind a backlog a delivery gets a later deadline, so that waiting is not taken for loss', async () => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const [accepted] =
    (await acceptEvents(at.direct, [[anEvent(customerId)]], { maxAttempts: 5, backlogMs: 60_000 }))[0] ?? [];
  const id = accepted?.kind === 'created' ? (accepted.deliveries[0]?.id ?? '') : '';
  const row = await at.delivery(id);
  expect((row.recoverAt?.getTime() ?? 0) - (row.nextAttemptAt?.getTime() ?? 0)).toBe(185_000);
});

test('the backlog is as old as the oldest delivery that is due and not in flight', async () => {
  await at.deleteDeliveries();
  expect(await oldestDueMs(at.prisma)).toBe(0);
  const { id } = await at.aDelivery();
  await at.prisma.delivery.update({ where: { id }, data: { nextAttemptAt: new Date(Date.now() - 60_000) } });
  expect(Math.abs((await oldestDueMs(at.prisma)) - 60_000)).toBeLessThan(5_000);
  await at.claim(id);
  expect(await oldestDueMs(at.prisma)).toBe(0);
});

test.each([
  ['with a key', (customerId: string) => keyed(customerId, 'lost')],
  ['without one', (customerId: string) => anEvent(customerId)],
])('an event %s whose answer was lost is found, created and with its deliveries as they are now', async (_, build) => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const event = build(customerId);
  const [first] = await accept(event);
  const [id = ''] = first?.kind === 'created' ? first.deliveries.map((delivery) => delivery.id) : [];
  await at.prisma.delivery.update({ where: { id }, data: { generation: 4, status: 'retrying' } });
  expect(await acceptRequests([event])).toEqual([
    [{ kind: 'created', deliveries: [expect.objectContaining({ id, generation: 4, status: 'retrying' })] }],
  ]);
  expect(await eventsOf(customerId)).toBe(1);
});

test('an event without endpoints whose answer was lost is found as well', async () => {
  const event = anEvent(await at.aCustomer());
  await accept(event);
  expect(await acceptRequests([event])).toEqual([[{ kind: 'created', deliveries: [] }]]);
});

test('of requests whose answers were lost each gets its own: stored, not stored, replayed, refused', async () => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const [stored, older, missing] = [keyed(customerId, 'stored'), keyed(customerId, 'old'), keyed(customerId, 'new')];
  await accept(older);
  await acceptRequests([stored, keyed(customerId, 'old')]);
  const answers = await acceptRequests([stored, keyed(customerId, 'old')], [missing], [keyed(customerId, 'old', '01')]);
  expect(answers.map(kinds)).toEqual([['created', 'replayed'], ['created'], ['conflict']]);
  expect(await eventsOf(customerId)).toBe(3);
});

test.each([
  ['with a key', (customerId: string) => keyed(customerId, 'slow')],
  ['without one', (customerId: string) => anEvent(customerId)],
])('an event %s whose first statement is still running when it is sent again is stored once', async (_, build) => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const event = build(customerId);
  const first = new pg.Client({ connectionString: at.url });
  await first.connect();
  await first.query('BEGIN');
  await first.query(
    `INSERT INTO drift_events (id, customer_id, event_type, drift_type, severity, request_id, occurred_at, body, created_at)
     VALUES ($1, $2, 'drift.created', 'X', 1, $3, 'now', '{}', now())`,
    [event.id, customerId, event.requestId],
  );
  if (event.idempotency !== null) {
    await first.query(
      `INSERT INTO idempotency_keys (customer_id, key, event_id, body_hash) VALUES ($1, $2, $3, decode($4, 'hex'))`,
      [customerId, event.idempotency.key, event.id, event.idempotency.bodyHash],
    );
  }
  const again = acceptRequests([event]);
  await until(async () => (await at.waiting()) > 0);
  await first.query('COMMIT');
  await first.end();
  // The first statement of this test stored no delivery, so none is found: the second did not run.
  expect(await again).toEqual([[{ kind: 'created', deliveries: [] }]]);
  expect(await eventsOf(customerId)).toBe(1);
});

test('fifty twins, of which one was sent twice, are one event', async () => {
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const event = keyed(customerId, 'twin');
  const twins = Array.from({ length: 49 }, () => keyed(customerId, 'twin'));
  const answers = await Promise.all([
    acceptRequests([event]),
    ...[event, ...twins].map((twin) => acceptRequests([twin])),
  ]);
  const ids = answers.flat(2).map((answer, index) => {
    const { id } = [event, event, ...twins][index] ?? event;
    return answer.kind === 'replayed' ? answer.eventId : id;
  });
  expect(new Set(ids).size).toBe(1);
  expect(await eventsOf(customerId)).toBe(1);
  expect(await at.prisma.delivery.count({ where: { customerId } })).toBe(1);
});
