import type { DayDropped } from '@driftwire/database';

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
