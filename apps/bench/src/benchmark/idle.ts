import type { Checkout } from '../stack/checkout.js';
import type { Benches } from './bench.js';
import { watchArrivals } from './driftwire-run.js';
import { HOUSEHOLD_KINDS, type Household, type HouseholdKind, readHousehold } from './household.js';
import { flood } from './load.js';
import { type NpmStart, withNpmStart } from './npm-start.js';
import { passSeconds } from './passing-time.js';
import { startReceivers } from './receivers.js';

export type ByMember = Record<HouseholdKind, number>;

/** What an `npm start` takes by being there, and after its first events. */
export type Idle = { cpuPercent: ByMember; memoryMiB: { before: ByMember; after: ByMember } };

/** After its start there is still something to do: for half a minute V8 tidies up what that left. */
const SETTLE_S = 30;
const IDLE_S = 20;
export const IDLE_EVENTS = 5_000;
const CALLERS = 32;

/** All of them at the same time while they are idle, one after the other when they are not. */
export function measureIdle(checkouts: readonly Checkout[], benches: Benches): Promise<Idle[]> {
  benches.say('npm start');
  return withNpmStarts(checkouts, async (started) => {
    benches.say(`nothing, for ${IDLE_S} s`);
    const members = () => started.map(({ pid }) => readHousehold(pid));
    await passSeconds(SETTLE_S, benches.stop);
    const first = members();
    await passSeconds(IDLE_S, benches.stop, benches.progress);
    const last = members();
    const idles: Idle[] = [];
    for (const [index, { pid, ...rest }] of started.entries()) {
      const [earlier, later] = [first[index], last[index]];
      if (!earlier || !later) continue;
      benches.say(`${IDLE_EVENTS} events, ${rest.checkout.name}`);
      await deliverSome(rest, benches);
      idles.push({
        cpuPercent: byMember((kind) => (later[kind].cpuMs - earlier[kind].cpuMs) / (IDLE_S * 10)),
        memoryMiB: { before: memoryOf(later), after: memoryOf(readHousehold(pid)) },
      });
    }
    return idles;
  });
}

function withNpmStarts<T>(
  [checkout, ...others]: readonly Checkout[],
  use: (started: NpmStart[]) => Promise<T>,
): Promise<T> {
  if (checkout === undefined) return use([]);
  return withNpmStart(checkout, (started) => withNpmStarts(others, (more) => use([started, ...more])));
}

async function deliverSome({ call }: Pick<NpmStart, 'call'>, { progress }: Benches): Promise<void> {
  const receivers = await startReceivers(1);
  try {
    const { id: customerId } = (await call('POST', '/v1/customers', { name: 'Benchmark' })) as { id: string };
    const endpoint = { customer_id: customerId, name: 'receiver', url: receivers.urls[0], event_types: ['*'] };
    await call('POST', '/v1/endpoints', endpoint);
    const watching = watchArrivals(receivers, IDLE_EVENTS, progress);
    await flood(call, { customerId, events: IDLE_EVENTS, perRequest: 1, requestsAtOnce: CALLERS });
    await watching;
  } finally {
    await receivers.close();
  }
}

function memoryOf(household: Household): ByMember {
  return byMember((kind) => household[kind].memoryMiB);
}

function byMember(read: (kind: HouseholdKind) => number): ByMember {
  const [api = 0, worker = 0, supervisor = 0, postgres = 0, redis = 0] = HOUSEHOLD_KINDS.map(read);
  return { api, worker, supervisor, postgres, redis };
}
