import type { Outage } from './outage.js';

export type Batcher<Item, Result> = {
  /**
   * Runs the item in the next batch that has room, and rejects with what its batch, or in the end it alone, fails with. An
   * outage that is waited out is waited out until then.
   */
  submit: (item: Item, until?: number) => Promise<Result>;
  /** Items that wait for their batch. */
  waiting: () => number;
};

export type BatcherOptions<Item, Result> = {
  /** Runs one batch as a whole or not at all. Answers in the order of its items. */
  run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items that have a key in common never share a batch. */
  keysOf: (item: Item) => readonly string[];
  /** What an item counts against `capacity`; an item that is larger than that has a batch of its own. */
  weigh?: (item: Item) => number;
  /** Of one batch. */
  capacity: number;
  /** Batches on their way at the same time. */
  lanes: number;
  /** With so many items on their way no further lane opens: those that come now share the next batch. */
  crowdedAt?: number;
  /** How long a lane rests after a batch that took so long, and leaves the machine to others. */
  restMs?: (tookMs: number) => number;
  /** For items that nobody waits for. */
  gathering?: Gathering;
  /** True for an error that no item has brought about: then none of them is tried again by itself. */
  isOutage: (error: unknown) => boolean;
  /**
   * While it is on nothing departs: what waits goes on waiting, and what was on its way comes back and waits first. It is sent
   * again although nobody knows what became of it, so `run` must know its items.
   */
  outage?: Pick<Outage, 'isOn' | 'noticed' | 'over'>;
};

/** No batch leaves within `ms` of the one before: those that come meanwhile share one. `isPressed`: not now, somebody waits. */
export type Gathering = { ms: number; isPressed: () => boolean };

const NO_GATHERING: Gathering = { ms: 0, isPressed: () => true };
const NO_REST = () => 0;
const NO_OUTAGE: Pick<Outage, 'isOn' | 'noticed' | 'over'> = {
  isOn: () => false,
  noticed: () => false,
  over: async () => {},
};

type Entry<Item, Result> = {
  item: Item;
  keys: readonly string[];
  until: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
};

/**
 * Natural batching, also called group commit: while one batch is on its way the next one fills, so a busy caller gets
 * large batches and an idle one waits for nothing. A batch that fails is halved until the guilty item stands alone.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const {
    crowdedAt = Number.POSITIVE_INFINITY,
    gathering = NO_GATHERING,
    outage = NO_OUTAGE,
    restMs = NO_REST,
  } = options;
  let waiting: Entry<Item, Result>[] = [];
  let freeLanes = options.lanes;
  let onTheirWay = 0;
  let scheduled = false;
  let lastDepartureAt = Number.NEGATIVE_INFINITY;
  let gatheringTimer: NodeJS.Timeout | undefined;
  const waitingOut = new Set<Entry<Item, Result>>();

  function mayDepart(): boolean {
    return waiting.length > 0 && freeLanes > 0 && onTheirWay < crowdedAt && !outage.isOn();
  }

  /** After the callbacks of this turn of the event loop: what arrived together leaves together. */
  function schedule(): void {
    if (scheduled || !mayDepart()) return;
    clearTimeout(gatheringTimer);
    const pauseMs = gathering.isPressed() ? 0 : lastDepartureAt + gathering.ms - performance.now();
    if (pauseMs > 0) {
      gatheringTimer = setTimeout(schedule, pauseMs);
      return;
    }
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      while (mayDepart()) depart();
    });
  }

  function depart(): void {
    const { batch, rest } = takeBatch(waiting, options);
    waiting = rest;
    const departedAt = performance.now();
    lastDepartureAt = departedAt;
    freeLanes -= 1;
    onTheirWay += batch.length;
    void runBatch(batch, options).then((unsettled) => {
      onTheirWay -= batch.length;
      waiting = [...unsettled, ...waiting];
      const pauseMs = outage.isOn() ? 0 : restMs(performance.now() - departedAt);
      if (pauseMs > 0) setTimeout(freeLane, pauseMs);
      else freeLane();
    });
  }

  function freeLane(): void {
    freeLanes += 1;
    if (outage.isOn()) waitOut();
    else schedule();
  }

  /** Each until its own time. */
  function waitOut(): void {
    for (const entry of waiting.filter((one) => !waitingOut.has(one))) {
      waitingOut.add(entry);
      void outage
        .over(entry.until)
        .then(schedule, (error: unknown) => {
          waiting = waiting.filter((one) => one !== entry);
          entry.reject(error);
        })
        .finally(() => waitingOut.delete(entry));
    }
  }

  return {
    waiting: () => waiting.length,
    submit: (item, until = Number.POSITIVE_INFINITY) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, keys: options.keysOf(item), until, resolve, reject });
        if (outage.isOn()) waitOut();
        else schedule();
      }),
  };
}

/** The oldest that fit and have no key in common; the rest keeps its order. */
function takeBatch<Item, Result>(
  waiting: readonly Entry<Item, Result>[],
  { capacity, weigh = () => 1 }: Pick<BatcherOptions<Item, Result>, 'capacity' | 'weigh'>,
): { batch: Entry<Item, Result>[]; rest: Entry<Item, Result>[] } {
  const batch: Entry<Item, Result>[] = [];
  const rest: Entry<Item, Result>[] = [];
  const taken = new Set<string>();
  let free = capacity;
  for (const entry of waiting) {
    const weight = weigh(entry.item);
    if ((weight > free && batch.length > 0) || entry.keys.some((key) => taken.has(key))) {
      rest.push(entry);
      continue;
    }
    for (const key of entry.keys) taken.add(key);
    free -= weight;
    batch.push(entry);
  }
  return { batch, rest };
}

/** Answers what an outage has sent back. */
async function runBatch<Item, Result>(
  batch: readonly Entry<Item, Result>[],
  options: BatcherOptions<Item, Result>,
): Promise<readonly Entry<Item, Result>[]> {
  try {
    const results = await options.run(batch.map(({ item }) => item));
    if (results.length !== batch.length) throw new Error(`${batch.length} items got ${results.length} results`);
    batch.forEach(({ resolve }, index) => {
      resolve(results[index] as Result);
    });
    return [];
  } catch (error) {
    if (options.outage?.noticed(error)) return batch;
    if (batch.length === 1 || options.isOutage(error)) return rejectAll(batch, error);
    const middle = Math.ceil(batch.length / 2);
    const first = await runBatch(batch.slice(0, middle), options);
    return [...first, ...(await runBatch(batch.slice(middle), options))];
  }
}

function rejectAll<Item, Result>(batch: readonly Entry<Item, Result>[], error: unknown): [] {
  for (const { reject } of batch) reject(error);
  return [];
}
