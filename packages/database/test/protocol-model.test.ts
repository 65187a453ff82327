import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  acceptEvents,
  armOverdueDeliveries,
  type Claim,
  closeCircuit,
  DRIFTWIRE,
  endHeld,
  holdDeliveries,
  openCircuit,
  putOffProbe,
  recordAttempts,
  releaseClaim,
  releaseHeld,
  retryFinishedDelivery,
  takeNextGenerations,
  takeProbes,
} from '../src/index.js';
import { expectedVerdict, expectInvariants, expectRecordRule, type Row } from './protocol-rules.js';
import { anEvent, aRecord, type Setup, setup, toFailed, toRetry } from './setup.js';

/**
 * The claim, record and sweep statements against real Postgres, in random interleavings: crashes, late and duplicate
 * records, jobs of older generations, bundles, sweeps, manual retries, endpoints paused and resumed, circuits opened, probed and closed. No clock is waited for: leases
 * have run out at once (a crash) or last, and `time passes` moves a delivery's times into the past.
 * PROTOCOL_MODEL_RUNS=2000 looks longer.
 */
const RUNS = Number(process.env.PROTOCOL_MODEL_RUNS ?? 30);
/** The first has a job of its own, the others share one. */
const DELIVERIES = 3;

let at: Setup;
beforeAll(async () => {
  at = await setup();
});
afterAll(() => at.close());

const delivery = fc.nat(DELIVERIES - 1);
const claim = fc.nat(30);
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('claim'),
      delivery,
      isOlder: often(0.15),
      crashes: often(0.4),
      isGranted: often(0.5),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('record'),
      claim,
      as: fc.constantFrom('success', 'retry', 'retry later', 'exhausted', 'gone'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release'), claim }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('time passes'), delivery }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('sweep'),
      jobsFinished: fc.boolean(),
      deliveriesPerJob: fc.constantFrom(1, 2, 16),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('retry'), delivery }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hold'), delivery, isOlder: often(0.15) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('let go'), deliveriesPerJob: fc.constantFrom(1, 2, 16) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end held'), delivery }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume'), delivery }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('open', 'probe', 'probe', 'put off', 'close', 'close by probe'),
      delivery,
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

test('whatever happens in whatever order, the promises of the protocol hold after every step', async () => {
  const property = fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 45 }), async (commands) => {
    const world = await aWorld();
    for (const step of commands) await take(world, step);
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: false });
}, 300_000);

type World = { ids: string[]; endpointIds: string[]; claims: { claim: Claim; isReleased: boolean }[] };

async function aWorld(): Promise<World> {
  const made = [await at.aDelivery(), ...(await aBundle(DELIVERIES - 1))];
  return { ids: made.map(({ id }) => id), endpointIds: made.map(({ endpointId }) => endpointId), claims: [] };
}

async function aBundle(size: number): Promise<{ id: string; endpointId: string }[]> {
  const customerId = await at.aCustomer();
  for (let endpoint = 0; endpoint < size; endpoint += 1) await at.anEndpoint(customerId);
  const limits = { maxAttempts: 3, deliveriesPerJob: size };
  const [[acceptance] = []] = await acceptEvents(at.direct, [[anEvent(customerId)]], limits);
  return acceptance?.kind === 'created' ? acceptance.deliveries : [];
}

async function take(world: World, step: Command): Promise<void> {
  const before = await rows(world);
  await perform(world, step, before);
  const after = await rows(world);
  after.forEach((row, index) => {
    const was = before[index];
    if (was) expectInvariants(was, row, step.do);
  });
}

function rows({ ids }: World): Promise<Row[]> {
  return Promise.all(ids.map(at.delivery));
}

async function perform(world: World, step: Command, before: Row[]): Promise<void> {
  switch (step.do) {
    case 'claim':
      return claimOne(world, step, before[step.delivery]);
    case 'record':
      return recordOne(world, step);
    case 'release':
      return release(world, step.claim);
    case 'time passes':
      return passTime(world.ids[step.delivery]);
    case 'sweep':
      return sweep(step);
    case 'retry':
      await retryFinishedDelivery(at.prisma, { id: world.ids[step.delivery] ?? '' }, DRIFTWIRE);
      return;
    case 'hold':
      return holdOne(step, before[step.delivery]);
    case 'let go':
      return letGo(world, step);
    case 'open':
    case 'probe':
    case 'put off':
    case 'close':
    case 'close by probe':
      return circuit(world, step);
    case 'end held':
      await endHeld(at.prisma, world.endpointIds[step.delivery] ?? '', { maxHours: 72, limit: 10 });
      return;
    default:
      return setActive(world.endpointIds[step.delivery] ?? '', step.do === 'resume');
  }
}

async function claimOne(world: World, step: Extract<Command, { do: 'claim' }>, before: Row | undefined) {
  if (before === undefined) return;
  const generation = before.generation - Number(step.isOlder && before.generation > 1);
  const { active } = await at.prisma.endpoint.findUniqueOrThrow({ where: { id: before.endpointId } });
  const circuitIsOpen = await isOpen(before.endpointId);
  const { isGranted } = step;
  const answer = await at.ask(before.id, { generation, leaseMs: step.crashes ? 0 : 60_000, isGranted });
  const said = answer.verdict === 'ended' || answer.verdict === 'hold' ? answer.reason : answer.verdict;
  expect(said).toBe(expectedVerdict(before, { generation, active, circuitIsOpen, isGranted, now: new Date() }));
  if (['wait', 'finished', 'superseded', 'circuit_open'].includes(said))
    expect(await at.delivery(before.id)).toEqual(before);
  if (answer.verdict === 'claimed') expect(answer.claim.isProbe).toBe(circuitIsOpen);
  if (answer.verdict === 'claimed') world.claims.push({ claim: answer.claim, isReleased: false });
}

async function holdOne({ isOlder }: Extract<Command, { do: 'hold' }>, before: Row | undefined): Promise<void> {
  if (before === undefined) return;
  const generation = before.generation - Number(isOlder && before.generation > 1);
  const [answer] = await holdDeliveries(at.direct, [{ deliveryId: before.id, generation, reason: 'crowded' }]);
  const said = expectedVerdict(before, {
    generation,
    active: true,
    circuitIsOpen: false,
    isGranted: true,
    now: new Date(),
  });
  const after = await at.delivery(before.id);
  expect(answer?.verdict).toBe(['claimed', 'indeterminate'].includes(said) ? 'held' : said);
  if (answer?.verdict === 'held') expect(after).toMatchObject({ holdReason: 'crowded', leaseExpiresAt: null });
  else expect(after).toEqual(before);
}

/** Everything that is held, of all endpoints, in one statement. */
async function letGo({ endpointIds }: World, { deliveriesPerJob }: Extract<Command, { do: 'let go' }>): Promise<void> {
  await releaseHeld(at.prisma, new Map(endpointIds.map((id) => [id, 10])), { deliveriesPerJob });
  const held = await at.prisma.delivery.findMany({
    where: { endpointId: { in: endpointIds }, holdReason: { not: null } },
  });
  for (const { endpointId } of held) expect(await isOpen(endpointId)).toBe(true);
}

async function isOpen(endpointId: string): Promise<boolean> {
  return (await at.prisma.endpointFlow.findUnique({ where: { endpointId } }))?.circuitOpenedAt != null;
}

const PROBE_LEASE_MS = 60_000;

/** What opens, asks and closes has seen something that the model knows nothing of: any of it may come at any time. */
async function circuit(world: World, step: Extract<Command, { delivery: number; do: string }>): Promise<void> {
  const endpointId = world.endpointIds[step.delivery] ?? '';
  const endpoint = await at.prisma.endpoint.findUniqueOrThrow({ where: { id: endpointId }, include: { flow: true } });
  const deliveryId = endpoint.flow[0]?.probeDeliveryId ?? randomUUID();
  if (step.do === 'open') {
    const failing = { endpointId, version: endpoint.version, failures: 10, forMs: 0, notBeforeMs: 0 };
    await openCircuit(at.prisma, failing, { probeAfterMs: 1 });
  } else if (step.do === 'probe') await probe(endpointId, deliveryId);
  else if (step.do === 'put off') {
    await putOffProbe(at.prisma, { endpointId, deliveryId }, { isFailure: true, notBeforeMs: 0 });
  } else {
    const closed = await closeCircuit(
      at.prisma,
      step.do === 'close' ? { endpointId } : { endpointId, deliveryId },
      DRIFTWIRE,
    );
    if (step.do === 'close') expect(closed).toBe(endpoint.flow[0]?.circuitOpenedAt != null);
  }
}

async function probe(endpointId: string, outId: string): Promise<void> {
  await at.prisma.$executeRaw`
    UPDATE endpoint_flow SET next_probe_at = now() WHERE endpoint_id = ${endpointId}::uuid AND circuit_opened_at IS NOT NULL`;
  const out = await at.prisma.delivery.findFirst({ where: { id: outId } });
  const taken = await takeProbes(at.prisma, [endpointId], { claimWithinMs: 10_000, leaseMs: PROBE_LEASE_MS });
  // The one before may have been claimed as a probe, and its lease not be over.
  const isOut = out?.leaseExpiresAt != null && out.leaseExpiresAt.getTime() > Date.now() + 1_000;
  expect(taken.length).toBeLessThanOrEqual(isOut ? 0 : 1);
}

/** Of any claim so far, in time or late, for the first time or again. */
async function recordOne({ claims }: World, step: Extract<Command, { do: 'record' }>): Promise<void> {
  const chosen = claims[step.claim % claims.length];
  if (chosen === undefined || chosen.isReleased) return;
  const before = await at.delivery(chosen.claim.deliveryId);
  // As `decide` does: the last failed attempt of a round is final.
  const isLast = chosen.claim.failedCount + 1 >= chosen.claim.maxAttempts;
  const as = isLast && step.as.startsWith('retry') ? 'exhausted' : step.as;
  const [answer] = await recordAttempts(at.prisma, [aRecord(chosen.claim, OUTCOMES[as])]);
  const after = await at.delivery(before.id);
  expect(answer?.generation).toBe(after.generation);
  expectRecordRule(before, after, { number: chosen.claim.fence, isSuccess: as === 'success' });
}

const OUTCOMES = {
  success: {},
  retry: toRetry(0),
  'retry later': toRetry(60_000),
  exhausted: toFailed('exhausted'),
  gone: toFailed('gone'),
};

async function release({ claims }: World, index: number): Promise<void> {
  const chosen = claims[index % claims.length];
  if (chosen === undefined) return;
  const isUnrecorded = !(await at.delivery(chosen.claim.deliveryId)).attempts.some(
    ({ number }) => number === chosen.claim.fence,
  );
  if (isUnrecorded) chosen.isReleased ||= await releaseClaim(at.prisma, chosen.claim, { dueInMs: 0 });
}

async function passTime(id: string | undefined): Promise<void> {
  await at.prisma.$executeRaw`
    UPDATE deliveries SET
      next_attempt_at = now() - interval '1 s', recover_at = now() - interval '1 s',
      lease_expires_at = CASE WHEN lease_expires_at IS NOT NULL THEN now() - interval '1 s' END,
      granted_until = CASE WHEN granted_until IS NOT NULL THEN now() - interval '1 s' END
    WHERE id = ${id}::uuid AND recover_at IS NOT NULL`;
  await at.prisma.$executeRaw`
    UPDATE endpoint_flow SET probe_until = now() - interval '1 s' WHERE probe_delivery_id = ${id}::uuid`;
}

async function sweep({ jobsFinished, deliveriesPerJob }: Extract<Command, { do: 'sweep' }>): Promise<void> {
  const overdue = await armOverdueDeliveries(at.prisma, { limit: 100, rearmMs: 30_000 });
  if (jobsFinished) await takeNextGenerations(at.prisma, overdue, { deliveriesPerJob });
}

async function setActive(id: string, active: boolean): Promise<void> {
  await at.prisma.endpoint.update({ where: { id }, data: { active, inactiveReason: active ? null : 'paused' } });
}

function often(probability: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: 100 }).map((draw) => draw <= probability * 100);
}
