import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { idFloor, listIds } from '../src/index.js';
import { type Setup, setup } from './setup.js';

let at: Setup;
let customerId: string;
let ids: string[];
beforeAll(async () => {
  at = await setup();
  ids = (await at.deliveries(4_500, {})).sort();
  const [oldest = ''] = ids;
  await at.prisma.delivery.update({
    where: { id: oldest },
    data: { status: 'success', completedAt: new Date(), recoverAt: null, nextAttemptAt: null },
  });
  customerId = (await at.delivery(oldest)).customerId;
});
afterAll(() => at.close());

type Query = Partial<Parameters<typeof listIds>[1]>;
const page = (query: Query) =>
  listIds(at.prisma, { table: 'deliveries', indexed: { customer_id: customerId }, residual: {}, limit: 50, ...query });

async function walk(query: Query) {
  const pages: string[][] = [];
  let below: string | undefined;
  for (;;) {
    const { ids: found, next } = await page({ ...query, ...(below === undefined ? {} : { below }) });
    pages.push(found);
    if (next === null) return pages;
    below = next;
  }
}

test('a walk meets every row once, newest first', async () => {
  const pages = await walk({ limit: 200 });
  expect(pages.flat()).toEqual([...ids].reverse());
  expect(pages).toHaveLength(Math.ceil(ids.length / 200));
});

test('what no index serves is looked for over a bounded number of rows: pages may be empty before the end', async () => {
  const pages = await walk({ residual: { status: 'success' } });
  expect(pages.map(({ length }) => length)).toEqual([0, 0, 1]);
  expect(pages.flat()).toEqual(ids.slice(0, 1));
});

test('a page that is full goes on behind its last row, not behind the last one looked at', async () => {
  const { ids: found, next } = await page({ residual: { status: 'pending' }, limit: 10 });
  expect(found).toEqual([...ids].reverse().slice(0, 10));
  expect(next).toBe(found.at(-1));
});

test('the ids of a time are those from its first to before the next one', async () => {
  const { createdAt } = await at.delivery(ids[0] ?? '');
  const ms = createdAt.getTime();
  expect((await page({ from: idFloor(ms), below: idFloor(ms + 1) })).ids).toHaveLength(50);
  expect((await page({ from: idFloor(ms + 1) })).ids).toEqual([]);
  expect((await page({ below: idFloor(ms) })).ids).toEqual([]);
});

test('no time is beyond what an id can hold', () => {
  expect(idFloor(-1)).toBe('00000000-0000-0000-0000-000000000000');
  expect(idFloor(253_402_300_799_999)).toBe('e677d21f-dbff-0000-0000-000000000000');
});
