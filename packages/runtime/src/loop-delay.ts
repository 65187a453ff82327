import { createHistogram, performance } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

const BUSY_EVERY_MS = 10;
const AT_REST_EVERY_MS = 1_000;
/** Of the time since the last look, in which the event loop did not wait. */
const BUSY_SHARE = 0.05;
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

type Delays = ReturnType<typeof createHistogram>;

/**
 * How late timers were since the last scrape, under the names that prom-client gives it. Its own way wakes the process a
 * hundred times a second, which is most of what one costs that has nothing to do; here that is so only while the event loop is
 * busy. At rest what holds it for less than a second may go unseen, once.
 */
export function measureLoopDelay(registry: Registry): void {
  const delays = watchDelays();
  gauge('min', 'Shortest', (seen) => seen.min);
  gauge('max', 'Longest', (seen) => seen.max);
  gauge('mean', 'Mean', (seen) => seen.mean);
  gauge('stddev', 'Standard deviation of the', (seen) => seen.stddev);
  gauge('p50', 'Median', (seen) => seen.percentile(50));
  gauge('p90', '90th percentile of the', (seen) => seen.percentile(90));
  // Collected last, in the order of registration: the next scrape begins anew.
  gauge(
    'p99',
    '99th percentile of the',
    (seen) => seen.percentile(99),
    () => delays.reset(),
  );

  function gauge(name: string, which: string, ns: (seen: Delays) => number, then = () => {}): void {
    new Gauge({
      name: `nodejs_eventloop_lag_${name}_seconds`,
      help: `${which} delay of the event loop since the last scrape.`,
      registers: [registry],
      collect() {
        if (delays.count > 0) this.set(ns(delays) / NS_PER_S);
        then();
      },
    });
  }
}

function watchDelays(): Delays {
  const delays = createHistogram();
  let before = performance.eventLoopUtilization();
  const look = (dueAt: number) => {
    const now = performance.now();
    delays.record(Math.max(Math.round((now - dueAt) * NS_PER_MS), 1));
    const utilization = performance.eventLoopUtilization();
    const share = performance.eventLoopUtilization(utilization, before).utilization;
    before = utilization;
    lookIn(share > BUSY_SHARE ? BUSY_EVERY_MS : AT_REST_EVERY_MS);
  };
  const lookIn = (ms: number) => setTimeout(look, ms, performance.now() + ms).unref();
  lookIn(BUSY_EVERY_MS);
  return delays;
}
