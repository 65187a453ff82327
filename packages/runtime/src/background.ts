import { setTimeout as delay } from 'node:timers/promises';

export type Background = {
  /** Nothing is begun any more; resolves when what is under way has ended. */
  stop: () => Promise<void>;
};

export type BackgroundOptions = {
  everyMs: number;
  /** Sooner, because whatever kept the work from being done may be gone. */
  afterFailureMs: number;
  onFailure: (error: unknown) => void;
};

/** Does the work now and then again and again, never twice at a time. It goes on whatever the work rejects with. */
export function repeatInBackground(work: () => Promise<void>, options: BackgroundOptions): Background {
  const stopped = new AbortController();

  async function repeat(): Promise<void> {
    while (!stopped.signal.aborted) {
      const waitMs = await work().then(
        () => options.everyMs,
        (error: unknown) => {
          options.onFailure(error);
          return options.afterFailureMs;
        },
      );
      await delay(waitMs, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
    }
  }

  const repeating = repeat();
  return {
    stop: () => {
      stopped.abort();
      return repeating;
    },
  };
}
