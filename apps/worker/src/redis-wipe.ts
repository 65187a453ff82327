import type { RearmWave } from '@driftwire/database';

export type WipeDeps = {
  epochInRedis: () => Promise<string>;
  epochOnRecord: () => Promise<string | null>;
  rememberEpoch: (epoch: string) => Promise<void>;
  planWave: (pace: { perSecond: number }) => Promise<RearmWave & { unfinished: number }>;
  /** Answers how many deadlines it moved. */
  rearmForWave: (wave: RearmWave, step: { limit: number; offset: number }) => Promise<number>;
  sweep: () => Promise<unknown>;
  observe: (wipe: { unfinished: number; lastsMs: number }) => void;
};

/** Far below what Redis takes, so that recovering leaves room for what is new. */
const PER_SECOND = 2_000;
const STEP = 10_000;

/**
 * Notices that the jobs are gone all at once (a flush, a lost disk, a new server) by the epoch that went with them, and
 * brings all deadlines forward, spread over a wave: the first deliveries flow at once, and the last do not wait for
 * deadlines that were set for a job they no longer have. Answers for how long the wave lasts; 0 when nothing was wiped.
 *
 * The epoch is remembered last. Whoever dies before has the next sweeper begin again, and doing it twice does no harm.
 */
export function createWipeCheck(deps: WipeDeps): () => Promise<number> {
  return async () => {
    const [found, known] = await Promise.all([deps.epochInRedis(), deps.epochOnRecord()]);
    if (found === known) return 0;
    const wave = await deps.planWave({ perSecond: PER_SECOND });
    const lastsMs = wave.endsAt.getTime() - wave.startsAt.getTime();
    if (known !== null) deps.observe({ unfinished: wave.unfinished, lastsMs });
    await rearmAll(deps, wave);
    await deps.rememberEpoch(found);
    return lastsMs;
  };
}

async function rearmAll({ rearmForWave, sweep }: WipeDeps, wave: RearmWave): Promise<void> {
  let offset = 0;
  let moved = STEP;
  while (moved === STEP) {
    moved = await rearmForWave(wave, { limit: STEP, offset });
    offset += moved;
    await sweep();
  }
}
