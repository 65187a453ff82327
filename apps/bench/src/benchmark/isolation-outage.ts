import { until } from '@driftwire/local-servers';
import { type Session, withSession } from '../stack/database-session.js';
import { type Figure, type Findings, HALF_A_SECOND } from './isolation-findings.js';
import { OUTAGE } from './isolation-scenes.js';
import { type IsolationStage, type IsolationTools, withIsolationStage } from './isolation-stage.js';
import { postSteadily } from './steady-load.js';

const RETRY_BASE_DELAY_MS = 2_000;
const AWAY_S = (30 * RETRY_BASE_DELAY_MS) / 1_000;
const PER_SECOND = 30;
/** In the proportion that all of them have by default. */
const ENV = {
  RETRY_BASE_DELAY_MS: `${RETRY_BASE_DELAY_MS}`,
  CIRCUIT_AFTER_MS: `${RETRY_BASE_DELAY_MS / 4}`,
  CIRCUIT_PROBE_MS: `${RETRY_BASE_DELAY_MS / 4}`,
};
const MOST_LOST_PERCENT = 1;
const MOST_REQUESTS = 100;
const ENDED_WITHIN_MS = 120_000;

/** A receiver answers 500 for longer than three attempts last, while events for it come in; then it is back. */
export function measureOutage(tools: IsolationTools): Promise<Findings> {
  return withIsolationStage(tools, { healthy: 10, bad: 1, env: ENV }, async (stage) => {
    const { call, badReceivers, badCustomers, measureBeside } = stage;
    const ids = badCustomers.map(({ customerId }) => customerId);
    tools.say(OUTAGE.title);
    badReceivers.answerWith(500);
    const pace = { perSecond: PER_SECOND, seconds: AWAY_S, progress: () => tools.stop.throwIfAborted() };
    const [posted, away] = await Promise.all([postSteadily(call, ids, pace), measureBeside(OUTAGE.title)]);
    const requests = badReceivers.arrivals.length;
    tools.say('back again');
    const returnedAt = performance.now();
    badReceivers.forget();
    badReceivers.answerWith(200);
    const [delivered, back] = await Promise.all([
      untilAllEnded(stage, tools.stop),
      // What was held follows as fast as its receiver answers, at once: that is a flood, and the processor is the limit.
      measureBeside(`${OUTAGE.title}: after its return`, { limit: HALF_A_SECOND }),
    ]);
    const lastMs = (badReceivers.arrivals.at(-1)?.at ?? Infinity) - returnedAt;
    return { rows: [away, back], figures: figuresOf({ posted: posted.length, requests, delivered, lastMs }) };
  });
}

type Outage = { posted: number; requests: number; delivered: number; lastMs: number };

function figuresOf({ posted, requests, delivered, lastMs }: Outage): Figure[] {
  const scene = OUTAGE.title;
  const lostPercent = (1 - delivered / posted) * 100;
  return [
    { scene, what: 'events meanwhile', value: posted, unit: '' },
    { scene, what: 'requests while it was away', value: requests, unit: '', most: MOST_REQUESTS },
    {
      scene,
      what: 'not delivered within two minutes of its return',
      value: lostPercent,
      unit: '%',
      most: MOST_LOST_PERCENT,
    },
    { scene, what: 'the last one delivered, after its return', value: lastMs / 1_000, unit: 's' },
  ];
}

/** Or two minutes have passed. Answers how many were delivered. */
function untilAllEnded({ stack, badCustomers }: IsolationStage, signal: AbortSignal): Promise<number> {
  const [customer] = badCustomers;
  return withSession(stack.databaseUrl, async (session) => {
    const count = () => countEnds(session, customer?.endpointId ?? '');
    await until(async () => (await count()).unfinished === 0, { deadlineMs: ENDED_WITHIN_MS, everyMs: 500, signal });
    return (await count()).delivered;
  });
}

type Ends = { delivered: number; unfinished: number };

async function countEnds({ query }: Session, endpointId: string): Promise<Ends> {
  const [ends] = await query<Ends>(
    `SELECT count(*) FILTER (WHERE status = 'success')::int AS delivered,
      count(*) FILTER (WHERE completed_at IS NULL)::int AS unfinished
    FROM deliveries WHERE endpoint_id = $1`,
    [endpointId],
  );
  return ends ?? { delivered: 0, unfinished: 0 };
}
