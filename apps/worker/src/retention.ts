import type { DayDropped } from '@driftwire/database';

export type RetentionDeps = {
  makePartitionsAhead: () => Promise<number>;
  /** Oldest first. */
  expiredDays: () => Promise<string[]>;
  dropDay: (day: string) => Promise<DayDropped>;
  observe: RetentionObserver;
};

export type RetentionObserver = {
  made: (days: number) => void;
  dropped: (day: DayDropped) => void;
};

/** What every worker does now and then: the partitions to come are there, and those that nobody needs any more are gone. */
export async function keepPartitions({
  makePartitionsAhead,
  expiredDays,
  dropDay,
  observe,
}: RetentionDeps): Promise<void> {
  const made = await makePartitionsAhead();
  if (made > 0) observe.made(made);
  for (const day of await expiredDays()) observe.dropped(await dropDay(day));
}
