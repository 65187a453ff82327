import { type DayDropped, dropDay, expiredDays, type PrismaClient } from '@driftwire/database';

export type RetentionDeps = {
  /** Oldest first. */
  expiredDays: () => Promise<string[]>;
  dropDay: (day: string) => Promise<DayDropped>;
  observe: RetentionObserver;
};

export type RetentionObserver = { dropped: (day: DayDropped) => void };

/** What every worker does now and then: the days that nobody needs any more are gone. */
export async function dropExpiredDays({ expiredDays, dropDay, observe }: RetentionDeps): Promise<void> {
  for (const day of await expiredDays()) observe.dropped(await dropDay(day));
}

export type RetentionOptions = {
  /** 0 keeps all. */
  days: number;
  /** What of a day keeps it from being dropped for ever. */
  endParked: (day: string) => Promise<unknown>;
  observe: RetentionObserver;
};

/** The same, wired to one Postgres. */
export function createRetention(
  prisma: PrismaClient,
  { days, endParked, observe }: RetentionOptions,
): () => Promise<void> {
  return () =>
    dropExpiredDays({
      expiredDays: async () => (days === 0 ? [] : expiredDays(prisma, { retentionDays: days, now: new Date() })),
      dropDay: async (day) => {
        await endParked(day);
        return dropDay(prisma, day);
      },
      observe,
    });
}
