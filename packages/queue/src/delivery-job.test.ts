import { expect, test } from '@jest/globals';
import { bulkJob, type DeliveryWakeUp, deliveryJobId, inJobs, jobDataSchema, membersOf } from './delivery-job.js';

const deliveryId = '0197a000-0000-7000-8000-000000000001';
const endpointId = '0197a000-0000-7000-8000-0000000000e1';
const jobId = '0197a000-0000-8000-8000-0000000000b1';

test('a job is named for its delivery and generation, carries only ids, and has as many attempts as the row', () => {
  expect(bulkJob([wakeUp({ generation: 2, maxAttempts: 5 })])).toEqual({
    name: 'deliver',
    data: { deliveryId, generation: 2, endpointId },
    opts: { jobId: `${deliveryId}-2`, attempts: 5, backoff: { type: 'recorded-delay' } },
  });
});

test('a bundle is the job of its first delivery and carries the others along', () => {
  const others = ['0197a000-0000-7000-8000-000000000002', '0197a000-0000-7000-8000-000000000003'];
  const [bundle] = inJobs([wakeUp({ jobId }), ...others.map((id) => wakeUp({ deliveryId: id, jobId, generation: 4 }))]);
  const { name, data, opts } = bulkJob(bundle ?? []);
  expect({ name, id: opts.jobId }).toEqual({ name: 'deliver 3', id: `bundle-${jobId}` });
  expect(data).toMatchObject({ deliveryId, generation: 1, others: others.map((id) => [id, 4, endpointId]) });
  expect(membersOf(jobDataSchema.parse(data))).toEqual([
    { deliveryId, generation: 1, endpointId },
    ...others.map((id) => ({ deliveryId: id, generation: 4, endpointId })),
  ]);
});

test('those of a bundle share a job, wherever they stand', () => {
  const of = (id: string | null, ...deliveries: string[]) =>
    deliveries.map((one) => wakeUp({ deliveryId: one, jobId: id }));
  const jobs = inJobs([...of(null, 'a', 'b'), ...of('x', 'c'), ...of('y', 'd'), ...of('x', 'e'), ...of(null, 'f')]);
  expect(jobs.map((job) => job.map((one) => one.deliveryId).join(''))).toEqual(['a', 'b', 'ce', 'd', 'f']);
});

test('a failure on record is told before anything else that waits', () => {
  const onRecord = { reason: 'gone: the receiver answered 410' };
  expect(bulkJob([wakeUp({ onRecord })])).toMatchObject({ data: { onRecord }, opts: { lifo: true } });
});

test('BullMQ takes the ids: no colon, no integer', () => {
  for (const id of [deliveryJobId(wakeUp()), deliveryJobId(wakeUp({ jobId }))]) {
    expect(id).not.toContain(':');
    expect(id).not.toMatch(/^\d+$/);
  }
});

test('what a newer version adds to a job is ignored, and goes no further', () => {
  const newer = { deliveryId, generation: 1, members: ['m'], body: '{}' };
  expect(jobDataSchema.parse(newer)).toEqual({ deliveryId, generation: 1 });
  const bundle = { deliveryId, generation: 1, others: [[deliveryId, 2, endpointId, 'held']] };
  expect(membersOf(jobDataSchema.parse(bundle))).toEqual([
    { deliveryId, generation: 1 },
    { deliveryId, generation: 2, endpointId },
  ]);
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
  ['a bundle with a delivery that is none', { deliveryId, generation: 1, others: [[deliveryId, 0, endpointId]] }],
  ['a generation Postgres cannot hold', { deliveryId, generation: 2 ** 31 }],
])('%s is no job', (_, data) => {
  expect(jobDataSchema.safeParse(data).success).toBe(false);
});

function wakeUp(overrides: Partial<DeliveryWakeUp> = {}): DeliveryWakeUp {
  return { deliveryId, generation: 1, endpointId, maxAttempts: 3, ...overrides };
}
