import { deliveryJobId } from '@driftwire/queue';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Accept, type BundleWorld, bundleWorlds, type Fate, LEASE_MS, type Row } from './bundle-world.js';
import { carriedBy, isLive, type SimulatedJob } from './simulated-queue.js';

/**
 * Bundles, retries, stalls and sweeps in random interleavings: jobs that carry several deliveries are accepted, lost, begun, half
 * done, taken from a worker that is dead or only slow, put off, wiped and swept. After every step the promises hold that bundles
 * could break; and once the faults are over, everything ends. BUNDLE_MODEL_RUNS=1000 looks longer.
 */
const RUNS = Number(process.env.BUNDLE_MODEL_RUNS ?? 25);
const MOST_DELIVERIES = 10;
const MINUTE_MS = 60_000;

let worlds: Awaited<ReturnType<typeof bundleWorlds>>;
beforeAll(async () => {
  worlds = await bundleWorlds();
});
afterAll(() => worlds.close());

const nth = fc.nat(30);
const often = (percent: number) => fc.integer({ min: 1, max: 100 }).map((draw) => draw <= percent);
const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('accept'),
      events: fc.integer({ min: 1, max: 3 }),
      deliveriesPerJob: fc.integer({ min: 1, max: 4 }),
      jobs: fc.constantFrom<Accept['jobs'][]>('added', 'added', 'added', 'lost', 'found again', 'both'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('begin'), claimFails: often(10), losesJobs: often(15) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('answer'),
      nth,
      fate: fc.constantFrom<Fate[]>(200, 200, 500, 500, 500, 410, 'late', 'record fails'),
      worker: fc.constantFrom('lives', 'lives', 'lives', 'dies after the record'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('die', 'stall', 'overtake'), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose'), nth, how: fc.constantFrom('gone', 'stray') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('forget', 'flush') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('beat') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('a quiet hour') }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('time passes'),
      ms: fc.constantFrom(1_000, 6_000, 40_000, 5 * MINUTE_MS, 20 * MINUTE_MS),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

test('whatever happens to bundles in whatever order, nothing is lost, sent twice or multiplied', async () => {
  const property = fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60 }), async (commands) => {
    const world = await worlds.aWorld();
    await world.accept({ events: 2, deliveriesPerJob: 4, jobs: 'added' });
    for (const step of commands) await take(world, step);
    await end(world);
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: false });
}, 600_000);

async function take(world: BundleWorld, step: Command): Promise<void> {
  const before = await world.rows();
  const jobs = structuredClone(world.queue.jobs());
  await perform(world, step);
  const after = new Map((await world.rows()).map((row) => [row.id, row]));
  for (const was of before) {
    const row = after.get(was.id);
    if (row === undefined) throw new Error(`${was.id} is gone`);
    expectWhole(row);
    if (was.status === 'success') expect(row.status).toBe('success');
    expectGenerationWithItsJob(was, row);
    if (step.do === 'beat') expectNoSecondJob(was, row, jobs);
    if (step.do === 'a quiet hour') expect(row.generation - was.generation).toBeLessThanOrEqual(1);
    expectOneJobEach(row, world);
  }
  // A job is over when all that it carries is.
  expect(inTheAir(world).filter(({ run }) => run.isOver)).toEqual([]);
  expect({ malformed: world.malformed, overlaps: world.overlaps }).toEqual({ malformed: [], overlaps: [] });
}

async function perform(world: BundleWorld, step: Command): Promise<void> {
  const { queue } = world;
  switch (step.do) {
    case 'accept':
      if (world.ids.length < MOST_DELIVERIES) await world.accept(step);
      return;
    case 'begin':
      return begin(world, step);
    case 'answer':
      return answer(world, step);
    case 'die':
    case 'stall':
    case 'overtake':
      return loseWorker(world, step);
    case 'lose': {
      const job = pick(queue.jobs(), step.nth);
      if (job !== undefined) queue.lose(job.id, step.how);
      return;
    }
    case 'forget':
      return queue.forgetEnded();
    case 'flush':
      return queue.flush();
    case 'beat':
      return world.beat();
    case 'a quiet hour':
      for (let sweep = 0; sweep < 3; sweep += 1) {
        await world.passTime(20 * MINUTE_MS);
        await world.beat();
      }
      return;
    default:
      return world.passTime(step.ms);
  }
}

/** Whatever is due in the job that a worker takes is claimed, or has ended: there is nobody else to do it soon. */
async function begin(world: BundleWorld, step: { claimFails: boolean; losesJobs: boolean }): Promise<void> {
  const before = await world.rows();
  if (!(await world.begin(step)) || step.claimFails) return;
  const job = world.runs.at(-1)?.taken.job;
  const after = await world.rows();
  for (const { deliveryId, generation } of carriedBy({ data: job?.data ?? {} })) {
    const was = before.find(({ id }) => id === deliveryId);
    if (was === undefined || !isDue(was) || was.generation !== generation || job?.data.onRecord) continue;
    const row = after.find(({ id }) => id === deliveryId);
    expect((row?.starts ?? 0) > was.starts || row?.status === 'failed').toBe(true);
  }
}

function isDue({ nextAttemptAt, leaseExpiresAt }: Row): boolean {
  const latest = Math.max(nextAttemptAt?.getTime() ?? Number.POSITIVE_INFINITY, leaseExpiresAt?.getTime() ?? 0);
  return latest < Date.now();
}

/** A worker dies; or only its job is taken for lost, and it goes on; also after its leases, when another one has taken over. */
async function loseWorker(world: BundleWorld, step: { do: 'die' | 'stall' | 'overtake'; nth: number }): Promise<void> {
  const run = pick(
    world.runs.filter(({ isOver }) => !isOver),
    step.nth,
  );
  if (run === undefined) return;
  if (step.do === 'die') run.isDead = true;
  else world.queue.stall(run.taken);
  if (step.do !== 'overtake') return;
  await world.passTime(LEASE_MS + 1_000);
  await begin(world, { claimFails: false, losesJobs: false });
}

async function answer(
  world: BundleWorld,
  { nth, fate, worker }: Pick<Extract<Command, { do: 'answer' }>, 'nth' | 'fate' | 'worker'>,
) {
  const flight = pick(inTheAir(world), nth);
  if (flight === undefined) return;
  const dies = worker !== 'lives' && fate !== 'late' && fate !== 'record fails';
  if (dies) flight.run.isDead = true;
  const { deliveryId } = flight.claim;
  const before = (await world.rows()).find(({ id }) => id === deliveryId);
  flight.end(fate);
  await world.still();
  const row = (await world.rows()).find(({ id }) => id === deliveryId);
  const hasLeft = row !== undefined && row.status === 'retrying' && row.generation !== before?.generation;
  // A job of its own, at once.
  if (hasLeft && !dies && !flight.run.losesJobs) expect(liveJobs(world).map(({ id }) => id)).toContain(idOfJob(row));
}

function liveJobs({ queue }: BundleWorld): SimulatedJob[] {
  return queue.jobs().filter(isLive);
}

function inTheAir({ flights }: BundleWorld) {
  return flights.filter(({ isOver, run }) => !isOver && !run.isDead);
}

function pick<T>(things: readonly T[], nth: number): T | undefined {
  return things[nth % Math.max(things.length, 1)];
}

/** With so many sweeps and so much time, whatever is lost is found. */
const ROUNDS = 12;

async function end(world: BundleWorld): Promise<void> {
  for (let round = 0; round < ROUNDS && (await unfinished(world)).length > 0; round += 1) await recoverOnce(world);
  expect(await unfinished(world)).toEqual([]);
  for (let round = 0; round < ROUNDS && liveJobs(world).length > 0; round += 1) await recoverOnce(world);
  expect(liveJobs(world)).toEqual([]);
  const numbers = new Map((await world.rows()).map(({ id, attempts }) => [id, attempts.map(({ number }) => number)]));
  for (const { claim, wasSent } of world.flights) {
    if (wasSent) expect(numbers.get(claim.deliveryId)).toContain(claim.fence);
  }
}

async function unfinished(world: BundleWorld): Promise<Row[]> {
  return (await world.rows()).filter(isUnfinished);
}

/** Every worker does what it has to, the lost ones are replaced, and the sweeper comes. */
async function recoverOnce(world: BundleWorld): Promise<void> {
  for (const { isDead, isOver, taken } of world.runs) if (isDead && !isOver) world.queue.stall(taken);
  do {
    for (const flight of inTheAir(world)) flight.end(200);
    await world.still();
  } while (await world.begin({ claimFails: false, losesJobs: false }));
  await world.beat();
  await world.passTime(20 * MINUTE_MS);
}

const isUnfinished = ({ recoverAt }: Row) => recoverAt !== null;

function expectWhole(row: Row): void {
  expect(isUnfinished(row)).toBe(row.status === 'pending' || row.status === 'retrying');
  expect((row.recoverAt?.getTime() ?? 0) - Date.now()).toBeLessThan(17 * MINUTE_MS);
  expect(row.starts).toBeLessThanOrEqual(10);
  const answers = row.attempts.filter(({ outcome }) => outcome === 'response').map(({ responseCode }) => responseCode);
  expect(answers.filter((code) => code !== 200).length).toBeLessThanOrEqual(row.maxAttempts);
  // Whatever else was answered 200 had been written off as unknown.
  expect(answers.filter((code) => code === 200).length).toBeLessThanOrEqual(1);
}

/** Who raises the generation gives the delivery another job, and nobody else does. */
function expectGenerationWithItsJob(was: Row, row: Row): void {
  expect(row.generation).toBeGreaterThanOrEqual(was.generation);
  if (row.generation === was.generation) expect(row.jobId).toBe(was.jobId);
  else if (row.jobId !== null) expect(row.jobId).not.toBe(was.jobId);
}

/** A sweep leaves alone what has a job that somebody will run, unless its worker was lost. */
function expectNoSecondJob(was: Row, row: Row, jobs: readonly SimulatedJob[]): void {
  const isInterrupted = was.leaseExpiresAt !== null && was.claimedGeneration === was.generation;
  if (isUnfinished(was) && !isInterrupted && jobs.some((job) => job.id === idOfJob(was) && isLive(job))) {
    expect(row.generation).toBe(was.generation);
  }
}

/** The job that a row names carries it, and no other job does so for this generation; but a stand-in may, beside its first. */
function expectOneJobEach(row: Row, world: BundleWorld): void {
  if (!isUnfinished(row)) return;
  const carries = (job: SimulatedJob) =>
    carriedBy(job).some(({ deliveryId, generation }) => deliveryId === row.id && generation === row.generation);
  const live = liveJobs(world);
  expect(live.filter((job) => job.id === idOfJob(row)).every(carries)).toBe(true);
  const most = world.standIns.has(row.id) && row.generation === 1 ? 2 : 1;
  expect(live.filter(carries).length).toBeLessThanOrEqual(most);
}

function idOfJob({ id, generation, jobId }: Row): string {
  return deliveryJobId({ deliveryId: id, generation, jobId });
}
