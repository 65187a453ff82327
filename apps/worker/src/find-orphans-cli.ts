import { findOrphans, type OrphanSearch, type PrismaClient, storedDays } from '@driftwire/database';
import { EX_CONFIG } from '@driftwire/runtime';
import { createLiveScreen } from '@driftwire/terminal';
import { MISUSED, onDatabase, readDatabaseUrl, readDays, readOptions } from './database-command.js';

const USAGE = `npm run find-orphans [-- options]

Looks for rows that refer to what is not there, in the database that DATABASE_URL names: events without their customer, deliveries
without their endpoint or event, attempts without their delivery, idempotency keys without their event. There should be
none; who deletes rows by hand can make some. Day by day, the newest first, in small statements that only read. Safe to interrupt
and to run beside everything else.

  --days N     only the newest N days that are there (tomorrow's included)

Exits 0 when there are none, 1 when there are some or the search failed, 2 when an option is wrong.`;

const NAME = 'find-orphans';
const screen = createLiveScreen(process.stdout, process.stderr);

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions(screen, NAME, {
    days: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (options === null) return MISUSED;
  if (options.help) {
    screen.say(USAGE);
    return 0;
  }
  const newest = options.days === undefined ? undefined : readDays(screen, options.days);
  if (newest === null) return MISUSED;
  const url = readDatabaseUrl(screen, 'look at');
  if (url === null) return EX_CONFIG;
  return onDatabase(screen, { name: NAME, url }, (prisma) => search(prisma, newest));
}

async function search(prisma: PrismaClient, newest: number | undefined): Promise<number> {
  const days = (await storedDays(prisma)).toReversed().slice(0, newest);
  let looked = 0;
  let orphans = 0;
  for (const [index, day] of days.entries()) {
    const count = `${index + 1}/${days.length} ${day}`;
    let rows = 0;
    const onLooked = (more: number) => {
      rows += more;
      // Where there is no terminal each change is a line, and a day is enough for one.
      if (process.stdout.isTTY) screen.update(`${count}: ${rows} references`);
    };
    const searches = await findOrphans(prisma, day, { onLooked });
    screen.update(`${count}: ${rows} references`);
    screen.settle();
    for (const found of searches.filter((one) => one.orphans > 0)) screen.complain(describe(day, found));
    looked += rows;
    orphans += searches.reduce((sum, one) => sum + one.orphans, 0);
  }
  screen.say(`${looked} references of ${days.length} days looked at: ${orphans === 0 ? 'no' : orphans} orphans.`);
  return orphans === 0 ? 0 : 1;
}

function describe(day: string, { what, looked, orphans, examples }: OrphanSearch): string {
  const list = examples.length < orphans ? `${examples.join(', ')}, …` : examples.join(', ');
  return `${day}: ${orphans} of ${looked} ${what}: ${list}`;
}
