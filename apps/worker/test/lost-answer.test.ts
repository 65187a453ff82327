import { type AttemptRecord, claimDeliveries, recordAttempts } from '@driftwire/database';
import type { AttemptReport } from '@driftwire/sender';
import { expect, test } from '@jest/globals';
import { createDeliver } from '../src/deliver.js';
import { recordUntil } from '../src/record-until.js';
import { postDelivery } from './delivery.js';
import { useStackWithDatabase } from './stack-with-database.js';

const { stack, database } = useStackWithDatabase();

test.each([
  [500, { kind: 'retry', delayMs: 110 }, 'retrying'],
  [410, { kind: 'failed' }, 'failed'],
  [200, { kind: 'done' }, 'success'],
])(
  '%d, and Postgres recorded it but its answer was lost: the record is repeated and the job ends alike',
  async (code, ending, status) => {
    const { id } = await postDelivery(stack());
    const deliver = deliverLosingOneAnswer(code);
    expect(await deliver({ deliveryId: id, generation: 1 }, { begins: () => {}, isOver: () => {} })).toMatchObject(
      ending,
    );
    const { body } = await stack().api.get(`/v1/deliveries/${id}`);
    expect(body.status).toBe(status);
    expect(body.attempts).toHaveLength(1);
  },
);

/** The worker's own `deliver`, on the real database, whose first answer to a record never arrives. */
function deliverLosingOneAnswer(code: number) {
  const { prisma, direct } = database();
  let answers = 0;
  const record = async (attempt: AttemptRecord) => {
    const [answer] = await recordAttempts(prisma, [attempt]);
    answers += 1;
    if (answer === undefined || answers === 1) throw new Error('Connection terminated unexpectedly');
    return answer;
  };
  return createDeliver({
    claim: async (job) => {
      const [answer] = await claimDeliveries(direct, [job], { leaseMs: 60_000 });
      return answer ?? { deliveryId: job.deliveryId, verdict: 'missing' };
    },
    hold: async () => ({ kind: 'done' }),
    noteCrowded: () => {},
    judgeEndpoint: async () => {},
    openSecrets: () => ({ secrets: ['whsec_x'], customHeaders: {} }),
    release: async () => true,
    noteParked: async () => {},
    send: async () => responded(code),
    record: (attempt, isOver) => recordUntil(() => record(attempt), { isWorthRepeating: () => true, isOver }),
    deactivateEndpoint: async () => true,
    observe: {
      attempted: () => {},
      refused: () => {},
      endpointDeactivated: () => {},
      secretUnreadable: () => {},
      withheld: () => {},
      interrupted: () => {},
    },
    retryBaseDelayMs: 100,
    leaseMs: 60_000,
    now: () => performance.now(),
    random: () => 0.5,
    pause: async () => {},
  });
}

function responded(status: number): AttemptReport {
  return {
    startedAt: new Date(),
    durationMs: 5,
    phases: {},
    requestHeaders: {},
    outcome: { kind: 'response', status, retryAfterMs: null },
    response: { status, headers: {}, body: '' },
    error: null,
    withheld: null,
  };
}
