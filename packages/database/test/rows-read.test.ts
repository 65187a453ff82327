import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acceptEvents, type Claim, claimDeliveries, connectDatabase, recordAttempts } from '../src/index.js';
import { anEvent, aRecord, type Setup, setup } from './setup.js';

// A worker's plan is made once, often when a day has hardly begun, and kept for tables of any size.

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

test('a claim and a record read their own rows, not what was stored between the oldest and the newest of them', async () => {
  const worker = connectDatabase({
    url: at.url,
    applicationName: 'worker',
    poolSize: 1,
    plans: 'generic',
    onConnectionLost: () => {},
  });
  const customerId = await at.aCustomer();
  await at.anEndpoint(customerId);
  const accept = async (count: number) => {
    const events = Array.from({ length: count }, () => anEvent(customerId));
    const answers = await acceptEvents(worker.direct, [events], { maxAttempts: 3 });
    return answers.flat().flatMap((answer) => (answer.kind === 'created' ? answer.deliveries.map(({ id }) => id) : []));
  };
  const deliver = async (ids: readonly string[]) => {
    const jobs = ids.map((deliveryId) => ({ deliveryId, generation: 1 }));
    const answers = await claimDeliveries(worker.direct, jobs, { leaseMs: 60_000 });
    const claims = answers.flatMap((answer): Claim[] => (answer.verdict === 'claimed' ? [answer.claim] : []));
    return recordAttempts(
      worker.prisma,
      claims.map((claim) => aRecord(claim)),
    );
  };
  const rowsRead = async () => {
    await worker.prisma.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
    const [row] = await worker.prisma.$queryRaw<{ rows: number }[]>`
      SELECT sum(idx_tup_read)::int AS rows FROM pg_stat_user_indexes
      WHERE relname LIKE 'deliveries_%' OR relname LIKE 'drift_events_%' OR relname LIKE 'attempts_%'`;
    return row?.rows ?? 0;
  };

  await deliver(await accept(1));
  const [oldest = '', ...others] = await accept(3_000);
  const before = await rowsRead();
  const recorded = await deliver([oldest, ...others.slice(-9)]);
  const read = (await rowsRead()) - before;
  await worker.close();

  expect(recorded.filter(({ moved }) => moved)).toHaveLength(10);
  expect(read).toBeLessThan(200);
});
