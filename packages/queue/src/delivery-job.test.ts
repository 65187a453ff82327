import { expect, test } from '@jest/globals';
import { bulkDeliveryJob, deliveryJobId, deliveryJobSchema } from './delivery-job.js';

const deliveryId = '0197a000-0000-7000-8000-000000000001';

test('a job is named for its delivery and generation, carries only these, and has as many attempts as the row', () => {
  expect(bulkDeliveryJob({ deliveryId, generation: 2, maxAttempts: 5 })).toMatchObject({
    data: { deliveryId, generation: 2 },
    opts: { jobId: `${deliveryId}-2`, attempts: 5 },
  });
});

test('BullMQ takes the id: no colon, no integer', () => {
  const id = deliveryJobId({ deliveryId, generation: 1 });
  expect(id).not.toContain(':');
  expect(id).not.toMatch(/^\d+$/);
});

test('what a newer version adds to a job is ignored, and goes no further', () => {
  const newer = { deliveryId, generation: 1, members: ['m'], body: '{}' };
  expect(deliveryJobSchema.parse(newer)).toEqual({ deliveryId, generation: 1 });
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['no delivery', { generation: 1 }],
  ['no delivery, whatever else', { generation: 1, deliveryIds: [deliveryId] }],
  ['an id that is no UUID', { deliveryId: "' OR 1=1", generation: 1 }],
  ['no generation', { deliveryId }],
  ['generation 0', { deliveryId, generation: 0 }],
  ['half a generation', { deliveryId, generation: 1.5 }],
  ['a generation Postgres cannot hold', { deliveryId, generation: 2 ** 31 }],
])('%s is no job', (_, data) => {
  expect(deliveryJobSchema.safeParse(data).success).toBe(false);
});
