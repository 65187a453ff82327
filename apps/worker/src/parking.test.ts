import { expect, test } from '@jest/globals';
import { createParking, type ParkingDeps } from './parking.js';

const jobs = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    deliveryId: `${n}`,
    generation: 2,
    endpointId: 'everything',
    maxAttempts: 3,
  }));

function setup(overrides: Partial<ParkingDeps> = {}) {
  const did = { added: [] as number[], letGo: [] as number[], ended: [] as (string | number)[] };
  const parking = createParking({
    letGo: async () => [],
    addJobs: async (added) => void did.added.push(added.length),
    endParked: async () => [],
    observe: {
      letGo: (count) => void did.letGo.push(count),
      ended: (day, ids) => void did.ended.push(day, ids.length),
    },
    ...overrides,
  });
  return { parking, did };
}

test('with nothing parked, nothing is added and nothing said', async () => {
  const { parking, did } = setup();
  await parking.letGo();
  await parking.endDay('2026-01-31');
  expect(did).toEqual({ added: [], letGo: [], ended: [] });
});

test('full batches are followed by the next, until one comes back short', async () => {
  const batches = [1_000, 1_000, 7];
  const { parking, did } = setup({ letGo: async () => jobs(batches.shift() ?? 0) });
  await parking.letGo();
  expect(did).toMatchObject({ added: [1_000, 1_000, 7], letGo: [1_000, 1_000, 7] });
});

test('when Redis does not take the jobs, no further batch is taken', async () => {
  const { parking, did } = setup({
    letGo: async () => jobs(1_000),
    addJobs: () => Promise.reject(new Error('Redis is away')),
  });
  await expect(parking.letGo()).rejects.toThrow('Redis is away');
  expect(did.letGo).toEqual([1_000]);
});

test('what is given up with its day is named', async () => {
  const { parking, did } = setup({ endParked: async () => ['one', 'two'] });
  await parking.endDay('2026-01-31');
  expect(did.ended).toEqual(['2026-01-31', 2]);
});
