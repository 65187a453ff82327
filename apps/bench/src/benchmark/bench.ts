import { withRunDirectory } from '../stack/run-directory.js';
import { type Stack, type StackOptions, withStack } from '../stack/stack.js';
import type { BenchRun } from './command-line.js';
import { type Receivers, startReceivers } from './receivers.js';

/** A stack of its own and the receivers that its webhooks go to. */
export type Bench = { stack: Stack; receivers: Receivers };

export type BenchSize = {
  workers: number;
  receivers: number;
  /** How long receivers take to answer. */
  delayMs?: number;
  /** Of APIs and workers, where it is not what they do by themselves. */
  env?: Record<string, string>;
  /** The built checkout whose programs run, where it is not this one. */
  root?: string;
};

/** Opens benches one after the other; says what is being measured, and how far it is. */
export type Benches = {
  withBench: <T>(size: BenchSize, use: (bench: Bench) => Promise<T>) => Promise<T>;
  say: (what: string) => void;
  progress: (done: number, all: number) => void;
  /** Told to stop; `say` and `progress` throw then. */
  stop: AbortSignal;
};

export type BenchPlace = Pick<StackOptions, 'root' | 'signal' | 'say' | 'nodeArgs' | 'endSignal'>;

export async function withBench<T>(
  place: BenchPlace,
  { workers, receivers: count, delayMs = 0, env = {}, root = place.root, keep }: BenchSize & Pick<BenchRun, 'keep'>,
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  const receivers = await startReceivers(count, { delayMs });
  try {
    return await withRunDirectory(keep, place.say, async (directory) => ({
      result: await withStack({ ...place, root, directory, apis: 1, workers, env }, (stack) =>
        use({ stack, receivers }),
      ),
      isWorthKeeping: false,
    }));
  } finally {
    await receivers.close();
  }
}
