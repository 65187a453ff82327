const LIBUV_THREADS = 4;
const MOST_LIBUV_THREADS = 1024;
/** Beside one lookup for each delivery in flight: for reconnects to Postgres and Redis, and for files. */
const OTHER_THREADS = 16;

export type ThreadPool = {
  threads: number;
  /** Of all threads libuv gives lookups a half. */
  lookupsAtOnce: number;
};

/**
 * The threads on which names are resolved. libuv reads `UV_THREADPOOL_SIZE` from the environment a process is started with;
 * setting it later is of no use.
 */
export function threadPoolOf(env: Record<string, string | undefined>): ThreadPool {
  const { UV_THREADPOOL_SIZE: size } = env;
  const asked = size === undefined ? LIBUV_THREADS : Number.parseInt(size, 10);
  const threads = asked > 0 ? Math.min(asked, MOST_LIBUV_THREADS) : 1;
  return { threads, lookupsAtOnce: Math.ceil(threads / 2) };
}

/** How many threads a worker of so many deliveries at once should have. */
export function threadsNeeded(concurrency: number): number {
  return Math.min(concurrency + OTHER_THREADS, MOST_LIBUV_THREADS);
}
