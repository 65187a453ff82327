import { setTimeout as pause } from 'node:timers/promises';
import { readAcceptedEvents } from './accepted-events.js';
import type { ChaosApi, PostAnswer } from './chaos-api.js';
import { eventBody, type PlannedPost } from './event-plan.js';
import type { AcknowledgedEvent, Violation } from './oracle/evidence.js';

export type Acknowledged = AcknowledgedEvent & { acknowledgedAt: number; latencyMs: number };

export type Production = { acknowledged: Acknowledged[]; refused: Violation[] };

export type ProducerDeps = {
  api: ChaosApi;
  seed: number;
  customerId: string;
  production: Production;
  /** When it is over, whatever is not acknowledged by then never will be. */
  signal: AbortSignal;
};

const REPEAT_AFTER_MS = 200;
const MAX_TRIES = 200;

/** Posts everything at its time and repeats each post, at the other API in turn, until it is acknowledged. */
export async function produce(deps: ProducerDeps, posts: readonly PlannedPost[]): Promise<void> {
  const startedAt = Date.now();
  const underway: Promise<void>[] = [];
  for (const [index, post] of posts.entries()) {
    await pause(Math.max(0, startedAt + post.atMs - Date.now()), undefined, { signal: deps.signal });
    underway.push(postUntilAcknowledged(deps, post.ns, index));
  }
  await Promise.all(underway);
}

export async function postUntilAcknowledged(
  deps: ProducerDeps,
  ns: readonly number[],
  firstApi: number,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES && !deps.signal.aborted; tries++) {
    const startedAt = Date.now();
    const answer = await send(deps, ns, firstApi + tries);
    if (answer.status === 202) return acknowledge(deps, { ns, body: answer.body, startedAt });
    if (answer.status !== 'unreachable' && answer.status !== 503) return refuse(deps, ns, answer);
    await pause(REPEAT_AFTER_MS);
  }
  refuse(deps, ns, { status: 'unreachable' });
}

function send({ api, seed, customerId }: ProducerDeps, ns: readonly number[], index: number): Promise<PostAnswer> {
  const [n = 0] = ns;
  const key = (number: number) => `event-${number}`;
  if (ns.length === 1) {
    const body = { customer_id: customerId, ...eventBody(seed, n) };
    return api.post('v1/drift-events', { api: index, body, headers: { 'idempotency-key': key(n) } });
  }
  const events = ns.map((number) => ({ ...eventBody(seed, number), idempotency_key: key(number) }));
  return api.post('v1/drift-events/batch', { api: index, body: { customer_id: customerId, events } });
}

type Answer202 = { ns: readonly number[]; body: unknown; startedAt: number };

function acknowledge(deps: ProducerDeps, { ns, body, startedAt }: Answer202): void {
  const events = readAcceptedEvents(body);
  if (events?.length !== ns.length) {
    refuse(deps, ns, { status: 202, body });
    return;
  }
  const acknowledgedAt = Date.now();
  for (const [index, { id, deliveries }] of events.entries()) {
    const deliveryIds = deliveries.map((delivery) => delivery.id);
    const latencyMs = acknowledgedAt - startedAt;
    deps.production.acknowledged.push({ n: ns[index] ?? 0, id, deliveryIds, acknowledgedAt, latencyMs });
  }
}

function refuse({ production }: ProducerDeps, ns: readonly number[], answer: PostAnswer): void {
  const said =
    answer.status === 'unreachable' ? 'no answer, again and again' : `${answer.status} ${JSON.stringify(answer.body)}`;
  production.refused.push({
    rule: 'a post is acknowledged or asked to come again',
    ids: ns.map(String),
    sentence: `posting event ${ns.join(', ')} brought ${said.slice(0, 300)}`,
  });
}
