import { countStale, createSealer, type PrismaClient, resealEndpoints, type Sealer } from '@driftwire/database';
import { EX_CONFIG, readConfig, rotationEnvironment } from '@driftwire/runtime';
import { createLiveScreen } from '@driftwire/terminal';
import { MISUSED, onDatabase, readOptions } from './database-command.js';

const USAGE = `npm run rotate-keys [-- options]

Seals every endpoint's secrets and custom headers again with the first key of ENCRYPTION_KEYS, in the database that
DATABASE_URL names. In batches, safe to interrupt and to run beside everything else: what is done stays done.

How to replace a key:
  1. Add the new key to ENCRYPTION_KEYS of the API and the workers as the second, and restart them: all open with it.
  2. Make it the first, the old one the second, and restart them: it seals.
  3. npm run rotate-keys, with the same ENCRYPTION_KEYS
  4. Take the old key out, and restart them.

  --dry-run    only say how many endpoints another key has sealed`;

const NAME = 'rotate-keys';
const BATCH = 200;
/** More than one, because an endpoint may change while it is being sealed. */
const MAX_PASSES = 5;
const screen = createLiveScreen(process.stdout, process.stderr);

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions(screen, NAME, {
    'dry-run': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (options === null) return MISUSED;
  if (options.help) {
    screen.say(USAGE);
    return 0;
  }
  const reading = readConfig(rotationEnvironment, process.env);
  if (!reading.ok) {
    screen.complain(reading.problems.join('\n'));
    return EX_CONFIG;
  }
  const { DATABASE_URL: url, ENCRYPTION_KEYS: keys } = reading.config;
  const isDryRun = options['dry-run'];
  return onDatabase(screen, { name: NAME, url }, (prisma) => rotate(prisma, createSealer(keys), { isDryRun }));
}

async function rotate(prisma: PrismaClient, sealer: Sealer, { isDryRun }: { isDryRun: boolean }): Promise<number> {
  const key = `the key "${sealer.currentKeyId}"`;
  const stale = await countStale(prisma, sealer);
  if (stale === 0 || isDryRun) {
    screen.say(
      stale === 0 ? `Every endpoint is sealed with ${key}.` : `${stale} endpoints would be sealed with ${key}`,
    );
    return 0;
  }
  const unreadable = new Set<string>();
  let resealed = 0;
  for (let pass = 1; pass <= MAX_PASSES && (await countStale(prisma, sealer)) > unreadable.size; pass += 1) {
    for (let afterId: string | null = null; ; ) {
      const batch = await resealEndpoints(prisma, sealer, { afterId, limit: BATCH });
      resealed += batch.resealed;
      for (const id of batch.unreadable) unreadable.add(id);
      if (batch.lastId === null) break;
      screen.update(`${resealed}/${stale} endpoints sealed with ${key}`);
      afterId = batch.lastId;
    }
  }
  screen.update(`${resealed} endpoints sealed with ${key}`);
  screen.settle();
  return report(unreadable, await countStale(prisma, sealer));
}

function report(unreadable: ReadonlySet<string>, left: number): number {
  if (unreadable.size > 0) {
    screen.complain(
      `${unreadable.size} endpoints cannot be opened with the keys in ENCRYPTION_KEYS, and their deliveries are parked. ` +
        `Add the key that sealed them, or give each a new secret:\n${[...unreadable].join('\n')}`,
    );
  }
  if (left > unreadable.size) {
    screen.complain(
      `${left - unreadable.size} endpoints have been sealed with another key meanwhile: an API still has another key first.`,
    );
  }
  return left === 0 ? 0 : 1;
}
