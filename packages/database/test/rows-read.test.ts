import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acceptEvents, type Claim, claimDeliveries, recordAttempts } from '../src/index.js';
import { aWorkersDatabase, rowsRead } from './rows-read.js';
import { anEvent, aRecord, type Setup, setup } from './setup.js';

// A worker's plan is made once, often when a day has hardly begun, and kept for tables of any size.

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

test('a claim and a record read their own rows, not what was stored between the oldest and the newest of them', async () => {
  const worker = aWorkersDatabase(at);
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
  await deliver(await accept(1));
  const [oldest = '', ...others] = await accept(3_000);
  const before = await rowsRead(worker);
  const recorded = await deliver([oldest, ...others.slice(-9)]);
  const read = (await rowsRead(worker)) - before;
  await worker.close();

  expect(recorded.filter(({ moved }) => moved)).toHaveLength(10);
  expect(read).toBeLessThan(200);
});
