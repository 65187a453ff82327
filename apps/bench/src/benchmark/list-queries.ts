import type { Session } from '../stack/database-session.js';
import type { DeepScene } from './deep-scene.js';
import type { Call } from './load.js';
import { RARE_DRIFT, RARE_TYPE, USUAL_DRIFT, USUAL_TYPE } from './past-deliveries.js';
import { type Percentiles, percentilesOf } from './quantiles.js';

const MATCHING = ['many', 'few', 'none'] as const;
type Matching = (typeof MATCHING)[number];
/** What a filter is set to, so that it matches so much. */
type Filter = { name: string } & Record<Matching, string>;

export type ListTimes = {
  list: string;
  /** `status many, event_type few`. */
  question: string;
  ms: Percentiles;
};

/** So many requests with each set of filters: the slowest is the p99. */
const REQUESTS = 50;

/** Every filter of both lists, alone and in pairs, matching many, few and none: page after page, from the newest on. */
export async function timeLists(
  call: Call,
  lists: readonly ListFilters[],
  onProgress: (done: number, all: number) => void,
): Promise<ListTimes[]> {
  const questions = lists.flatMap(({ path, filters }) => questionsOf(filters).map((asked) => ({ path, asked })));
  const times: ListTimes[] = [];
  for (const { path, asked } of questions) {
    const query = new URLSearchParams(Object.fromEntries(asked.map(({ name, value }) => [name, value])));
    const question = asked.map(({ name, matching }) => `${name} ${matching}`).join(', ');
    times.push({ list: path, question, ms: await timePages(call, `${path}?${query}`) });
    onProgress(times.length, questions.length);
  }
  return times;
}

async function timePages(call: Call, path: string): Promise<Percentiles> {
  const times: number[] = [];
  let cursor: string | null = null;
  while (times.length < REQUESTS) {
    const startedAt = performance.now();
    const page: unknown = await call('GET', cursor === null ? path : `${path}&cursor=${cursor}`);
    times.push(performance.now() - startedAt);
    cursor = (page as { next_cursor: string | null }).next_cursor;
  }
  return percentilesOf(times);
}

type Asked = { name: string; matching: Matching; value: string };

export function questionsOf(filters: readonly Filter[]): Asked[][] {
  const ask = (filter: Filter): Asked[] =>
    MATCHING.map((matching) => ({ name: filter.name, matching, value: filter[matching] }));
  const alone = filters.flatMap(ask).map((asked) => [asked]);
  const pairs = filters.flatMap((one, index) =>
    filters
      .slice(index + 1)
      .flatMap((other) => ask(one).flatMap((first) => ask(other).map((second) => [first, second]))),
  );
  return [...alone, ...pairs];
}

export type ListFilters = { path: string; filters: Filter[] };

const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';
const LONG_AGO = '2001-01-01T00:00:00Z';

/** What there is to ask for, after `addPastDeliveries`. `commonStatus` is the one that many deliveries are in. */
export async function findFilters(
  session: Session,
  { customerId, endpointIds, quietEndpointId, fewCustomerId, noCustomerId, noEndpointId }: DeepScene,
  commonStatus: 'success' | 'pending',
): Promise<ListFilters[]> {
  const { event, request, oldest, newest, key } = await readExamples(session);
  const shared = [
    { name: 'customer_id', many: customerId, few: fewCustomerId, none: noCustomerId },
    { name: 'event_type', many: USUAL_TYPE, few: RARE_TYPE, none: 'drift.unheard' },
    { name: 'created_after', many: LONG_AGO, few: newest, none: '2100-01-01T00:00:00Z' },
    { name: 'created_before', many: '2100-01-01T00:00:00Z', few: oldest, none: LONG_AGO },
  ];
  return [
    {
      path: '/v1/deliveries',
      filters: [
        ...shared,
        { name: 'status', many: commonStatus, few: 'cancelled', none: 'retrying' },
        { name: 'endpoint_id', many: endpointIds[0] ?? '', few: quietEndpointId, none: noEndpointId },
        // No event has many deliveries: the most it can have is one for each endpoint of its customer.
        { name: 'event_id', many: event, few: event, none: NOBODY },
      ],
    },
    {
      path: '/v1/drift-events',
      filters: [
        ...shared,
        { name: 'drift_type', many: USUAL_DRIFT, few: RARE_DRIFT, none: 'UNHEARD' },
        { name: 'request_id', many: request, few: request, none: NOBODY },
        { name: 'idempotency_key', many: key, few: key, none: 'unheard' },
      ],
    },
  ];
}

/** An event in the middle, the request it came with, an idempotency key, and the second instants from either end. */
async function readExamples({
  query,
}: Session): Promise<Record<'event' | 'request' | 'oldest' | 'newest' | 'key', string>> {
  const [row] = await query<Record<'event' | 'request' | 'oldest' | 'newest' | 'key', string>>(`
    SELECT event.id::text AS event, event.request_id::text AS request, keys.key,
      to_char(oldest AT TIME ZONE 'UTC' + interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS oldest,
      to_char(newest AT TIME ZONE 'UTC' - interval '10 milliseconds', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS newest
    FROM (SELECT created_at AS oldest FROM drift_events ORDER BY id LIMIT 1) AS first,
      (SELECT created_at AS newest FROM drift_events ORDER BY id DESC LIMIT 1) AS last,
      (SELECT id, request_id FROM drift_events WHERE id >= uuidv7_floor(now() - interval '2 days') ORDER BY id LIMIT 1) AS event,
      (SELECT key FROM idempotency_keys ORDER BY event_id LIMIT 1) AS keys`);
  if (row === undefined) throw new Error('there is nothing to ask for');
  return row;
}
