import {
  closeCircuits,
  endCrowding,
  type HeldEndpoint,
  heldEndpoints,
  type PrismaClient,
  releaseHeld,
} from '@driftwire/database';
import { EX_CONFIG } from '@driftwire/runtime';
import { createLiveScreen } from '@driftwire/terminal';
import { MISUSED, onDatabase, readDatabaseUrl, readOptions } from './database-command.js';

const USAGE = `npm run release-held

Lets everything go that is held in the database that DATABASE_URL names: before workers of a version that holds nothing take over.
Circuits are closed. Stop this version's workers first, or they hold it again. The others' sweepers find it within seconds. Safe to interrupt and to
run again. Endpoints that are on hold stay so, and are named: an earlier version does not know of it, and would send.

Exits 0 when nothing is held any more, 1 when something still is or the release failed, 2 when an option is wrong.`;

const NAME = 'release-held';
const AT_ONCE = 1_000;
/** Of endpoints with limits, too: an earlier version knows none. */
const EVERYTHING = { deliveriesPerJob: 1, isForced: true };
/** What has been held for too long is let go like the rest. */
const ANY_AGE = { maxHours: 0 };
/** One is enough where nobody holds anything meanwhile. */
const ROUNDS = 3;
const screen = createLiveScreen(process.stdout, process.stderr);

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions(screen, NAME, { help: { type: 'boolean', short: 'h', default: false } });
  if (options === null) return MISUSED;
  if (options.help) {
    screen.say(USAGE);
    return 0;
  }
  const url = readDatabaseUrl(screen, 'let deliveries go in');
  return url === null ? EX_CONFIG : onDatabase(screen, { name: NAME, url }, releaseAll);
}

async function releaseAll(prisma: PrismaClient): Promise<number> {
  await closeCircuits(prisma);
  let released = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const endpoints = await heldEndpoints(prisma, ANY_AGE);
    const onHold = endpoints.filter(({ isOnHold }) => isOnHold);
    if (endpoints.length === onHold.length) return report(released, onHold);
    for (const { endpointId } of endpoints) {
      released += await releaseOf(prisma, endpointId, (count) => screen.update(`${released + count} let go`));
    }
  }
  screen.settle();
  screen.complain(
    `${released} deliveries let go, and some are held again: stop the workers that hold them, and run this again`,
  );
  return 1;
}

/** What a person has put on hold is not ours to let go, and an earlier version would send it. */
function report(released: number, onHold: readonly HeldEndpoint[]): number {
  screen.settle();
  screen.say(`${released} deliveries let go${onHold.length === 0 ? '; none is held' : ''}.`);
  if (onHold.length === 0) return 0;
  const ids = onHold.map(({ endpointId }) => endpointId).join(', ');
  screen.complain(
    `Deliveries stay held for endpoints that are on hold; take these off first (PATCH on_hold: false): ${ids}`,
  );
  return 1;
}

async function releaseOf(prisma: PrismaClient, endpointId: string, say: (count: number) => void): Promise<number> {
  let count = 0;
  let more: number;
  do {
    more = (await releaseHeld(prisma, new Map([[endpointId, AT_ONCE]]), EVERYTHING)).length;
    count += more;
    say(count);
  } while (more === AT_ONCE);
  await endCrowding(prisma, [endpointId]);
  return count;
}
