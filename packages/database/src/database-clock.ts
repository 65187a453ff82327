import type { PrismaClient } from './generated/client.js';

/** The database's clock, as a process sees it without asking each time: the one clock for instants that are stored or that Postgres judges. */
export type DatabaseClock = {
  /** The process's own clock until the first look. */
  now: () => Date;
  /** How far the process's own clock is ahead of the database's; negative when it is behind, 0 before the first look. */
  skewMs: () => number;
  /** Looks at the database's clock; rejects when it cannot. */
  look: () => Promise<void>;
};

export type Clocks = {
  /** In milliseconds, never set by anybody. */
  monotonic: () => number;
  /** In milliseconds since 1970; may be wrong, and may jump. */
  wall: () => number;
};

/** The database's clock as a distance from the monotonic one, and by how much that may be wrong. */
type Look = { distanceMs: number; errorMs: number; at: number };

/** By how much two clocks drift apart, more than quartz does. */
const DRIFT = 0.0002;
const OWN_CLOCKS: Clocks = { monotonic: () => performance.now(), wall: Date.now };

/**
 * Between looks it runs on the monotonic clock, so that the process's own may be wrong or be set at any time. A look is off by half
 * its round trip at most (Cristian's algorithm). A better one that was made before is kept until it has aged, so that a busy
 * pool or event loop makes nothing worse; unless the two contradict each other, because then the database's clock was set.
 */
export function createDatabaseClock(readTimeMs: () => Promise<number>, clocks: Clocks = OWN_CLOCKS): DatabaseClock {
  const { monotonic, wall } = clocks;
  let kept: Look | null = null;

  const nowMs = () => (kept === null ? wall() : kept.distanceMs + monotonic());

  return {
    now: () => new Date(nowMs()),
    skewMs: () => wall() - nowMs(),
    look: async () => {
      const before = monotonic();
      const timeMs = await readTimeMs();
      const at = monotonic();
      const look = { distanceMs: timeMs - (before + at) / 2, errorMs: (at - before) / 2, at };
      if (kept === null || isBetter(look, kept)) kept = look;
    },
  };
}

function isBetter(look: Look, kept: Look): boolean {
  const keptErrorMs = kept.errorMs + (look.at - kept.at) * DRIFT;
  const apartMs = Math.abs(look.distanceMs - kept.distanceMs);
  return look.errorMs <= keptErrorMs || apartMs > look.errorMs + keptErrorMs;
}

/** The time of Postgres's clock, in milliseconds since 1970. */
export async function readDatabaseTimeMs(prisma: PrismaClient): Promise<number> {
  const [row] = await prisma.$queryRaw<{ ms: number }[]>`
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`;
  if (row === undefined) throw new Error('a clock answered no row');
  return row.ms;
}
