export type PartitionWatchDeps = {
  /** See `makePartitionsAhead`. */
  make: () => Promise<number>;
  /** See `partitionDaysAhead`. */
  daysAhead: () => Promise<number>;
  observe: { made: (days: number) => void; ahead: (days: number) => void };
};

export type PartitionWatch = {
  /** Makes what is missing and looks what is there; rejects when it cannot. */
  keep: () => Promise<void>;
  /** What is to be said of today's partitions, undefined when they are there as far as is known. */
  remark: () => string | undefined;
};

/** No event can be stored on a day without its partitions, and workers may not be there to make them. */
export function createPartitionWatch({ make, daysAhead, observe }: PartitionWatchDeps): PartitionWatch {
  let hasToday = true;

  async function look(): Promise<void> {
    const days = await daysAhead();
    hasToday = days > 0;
    observe.ahead(days);
  }

  return {
    remark: () => (hasToday ? undefined : 'none for today'),
    keep: async () => {
      // Also where nothing can be made: that is what the look is for.
      const days = await make().finally(look);
      if (days > 0) observe.made(days);
    },
  };
}
