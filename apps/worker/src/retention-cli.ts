import { type DayDropped, dropDay, expiredDays, type PrismaClient } from '@driftwire/database';
import { EX_CONFIG } from '@driftwire/runtime';
import { createLiveScreen } from '@driftwire/terminal';
import { MISUSED, onDatabase, readDatabaseUrl, readDays, readOptions } from './database-command.js';

const USAGE = `npm run retention [-- options]

Drops events, deliveries and attempts that are older than so many days, whole days at a time (UTC), from the database that
DATABASE_URL names. Workers do the same by themselves every hour. A day is old when both the database's clock and this
host's say so. A day with an unfinished delivery stays. Safe to interrupt
and to run beside everything else.

  --days N     how many days to keep (RETENTION_DAYS, or 30)
  --dry-run    only say which days would go`;

const NAME = 'retention';
const screen = createLiveScreen(process.stdout, process.stderr);

process.exit(await main());

async function main(): Promise<number> {
  const { RETENTION_DAYS = '30' } = process.env;
  const options = readOptions(screen, NAME, {
    days: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (options === null) return MISUSED;
  if (options.help) {
    screen.say(USAGE);
    return 0;
  }
  const retentionDays = readDays(screen, options.days ?? RETENTION_DAYS);
  if (retentionDays === null) return MISUSED;
  const isDryRun = options['dry-run'];
  const url = readDatabaseUrl(screen, 'clean');
  if (url === null) return EX_CONFIG;
  return onDatabase(screen, { name: NAME, url }, (prisma) => dropAll(prisma, { retentionDays, isDryRun }));
}

async function dropAll(
  prisma: PrismaClient,
  { retentionDays, isDryRun }: { retentionDays: number; isDryRun: boolean },
): Promise<number> {
  const days = await expiredDays(prisma, { retentionDays, now: new Date() });
  if (days.length === 0) screen.say(`Nothing is older than ${retentionDays} days.`);
  let stayed = 0;
  for (const [index, day] of days.entries()) {
    if (isDryRun) {
      screen.say(`${day} would go`);
      continue;
    }
    const count = `${index + 1}/${days.length}`;
    screen.update(`${count} ${day}`);
    const done = await dropDay(prisma, day, (keys) =>
      screen.update(`${count} ${day}: ${keys} idempotency keys purged`),
    );
    screen.update(`${count} ${describe(done)}`);
    screen.settle();
    stayed += Number(done.became !== 'dropped');
  }
  return stayed === 0 ? 0 : 1;
}

function describe({ day, became, purgedKeys }: DayDropped): string {
  switch (became) {
    case 'dropped':
      return `${day}: dropped, ${purgedKeys} idempotency keys purged`;
    case 'unfinished':
      return `${day}: stays, because a delivery of that day is not at its end`;
    case 'busy':
      return `${day}: stays for now, because somebody has been reading it for long; try again`;
  }
}
