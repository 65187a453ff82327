import { type ApiAnswer, aDriftEvent, type Stack, startReceiver, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: { RETRY_BASE_DELAY_MS: '60000' } });
});
afterAll(() => stack.close());

test('of an event for three endpoints, one failed and one gone: one job for all, and the dashboard shows what it always did', async () => {
  const [failing, gone] = await Promise.all([startReceiver(), startReceiver()]);
  failing.reply(500);
  gone.reply(410);
  const { customerId } = await stack.customerWithEndpoint();
  for (const [name, { url }] of Object.entries({ failing, gone })) {
    await stack.api.post('/v1/endpoints', { customer_id: customerId, name, url });
  }
  const { deliveries } = await stack.postEvent(customerId);
  const [succeeded, retrying, failed] = await Promise.all(
    ['success', 'retrying', 'failed'].map((s) => inStatus(deliveries, s)),
  );

  const [bundle] = await until(() => jobs('completed').then((found) => found.length > 0 && found));
  expect(bundle).toMatchObject({ name: 'deliver 3', opts: { attempts: 3 } });
  expect(deliveriesIn(bundle)).toEqual(deliveries.map(({ id }: { id: string }) => id).sort());

  const [delayed] = await until(() => jobs('delayed').then((found) => found.length > 0 && found));
  expect(delayed).toMatchObject({
    id: `${retrying.id}-2`,
    data: { deliveryId: retrying.id },
    attempts: 1,
    opts: { attempts: 3 },
    isFailed: true,
    failedReason: 'driftwire: the receiver answered 500',
  });
  expect(dueAt(delayed)).toBeGreaterThan(Date.parse(retrying.next_attempt_at) - 2_000);
  expect(dueAt(delayed)).toBeLessThan(Date.parse(retrying.next_attempt_at) + 2_000);

  const [ended] = await until(() => jobs('failed').then((found) => found.length > 0 && found));
  expect(ended).toMatchObject({
    data: { deliveryId: failed.id },
    attempts: 1,
    failedReason: 'driftwire: gone: the receiver answered 410',
  });
  expect(succeeded.attempts).toHaveLength(1);
  expect(failing.requests).toHaveLength(1);
  await Promise.all([failing.close(), gone.close()]);
});

test('a delivery that is alone has the job it always had', async () => {
  const { customerId, endpoint } = await stack.customerWithEndpoint();
  const { deliveries } = await stack.postEvent(customerId);
  const { id } = deliveries[0];
  const job = await until(async () => (await jobs('completed')).find((one) => one.id === `${id}-1`));
  expect(job).toMatchObject({
    name: 'deliver',
    data: { deliveryId: id, generation: 1, endpointId: endpoint.id },
    attempts: 1,
    opts: { attempts: 3, backoff: { type: 'recorded-delay' } },
  });
});

test('a batch for three endpoints leaves in bundles of at most 16, as equal as they can be, and whole', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  for (const name of ['second', 'third']) {
    await stack.api.post('/v1/endpoints', { customer_id: customerId, name, url: stack.receiver.url });
  }
  const events = Array.from({ length: 11 }, () => aDriftEvent());
  const { body } = await stack.api.post('/v1/drift-events/batch', { customer_id: customerId, events });
  const ids = body.results.flatMap(({ deliveries }: ApiAnswer['body']) =>
    deliveries.map(({ id }: { id: string }) => id),
  );
  const bundles = await until(async () => {
    const found = (await jobs('completed')).filter((job) => deliveriesIn(job).some((id) => ids.includes(id)));
    return found.flatMap(deliveriesIn).length === 33 && found;
  });
  expect(bundles.map((job) => deliveriesIn(job).length)).toEqual([11, 11, 11]);
});

test('with DELIVERIES_PER_JOB=1 every delivery has a job of its own', async () => {
  const alone = await startStack({ env: { DELIVERIES_PER_JOB: '1' } });
  const { customerId } = await alone.customerWithEndpoint();
  const events = Array.from({ length: 20 }, () => aDriftEvent());
  const { body } = await alone.api.post('/v1/drift-events/batch', { customer_id: customerId, events });
  const ids: string[] = body.results.map(({ deliveries }: ApiAnswer['body']) => `${deliveries[0].id}-1`);
  await until(async () => (await jobs('completed', alone)).length === 20);
  expect((await jobs('completed', alone)).map(({ id }) => id).sort()).toEqual(ids.sort());
  await alone.close();
});

type DashboardJob = {
  id: string;
  name: string;
  timestamp: number;
  delay: number;
  attempts: number;
  data: { deliveryId: string; others?: [string, number, string][] };
};

/** As the dashboard shows them. */
async function jobs(status: string, { api }: Stack = stack): Promise<DashboardJob[]> {
  const { body } = await api.get(`/queues/api/queues?activeQueue=deliveries&status=${status}&jobsPerPage=100`);
  return body.queues[0].jobs;
}

async function inStatus(deliveries: { id: string }[], status: string): Promise<ApiAnswer['body']> {
  return until(async () => {
    const answers = await Promise.all(deliveries.map(({ id }) => stack.api.get(`/v1/deliveries/${id}`)));
    return answers.map(({ body }) => body).find((body) => body.status === status);
  });
}

function deliveriesIn(job?: DashboardJob): string[] {
  return job === undefined ? [] : [job.data.deliveryId, ...(job.data.others ?? []).map(([id]) => id)].sort();
}

function dueAt(job?: DashboardJob): number {
  return (job?.timestamp ?? 0) + (job?.delay ?? 0);
}
