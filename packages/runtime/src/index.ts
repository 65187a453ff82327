export { type Background, repeatInBackground } from './background.js';
export { measureBatches } from './batch-metrics.js';
export {
  type ApiConfig,
  addressPolicyOf,
  apiEnvironment,
  readConfig,
  rotationEnvironment,
  type WorkerConfig,
  workerEnvironment,
} from './config.js';
export { createLog, type Log } from './log.js';
export { createMetrics } from './metrics.js';
export { onDemand } from './on-demand.js';
export { oneAtATime } from './one-at-a-time.js';
export { version } from './package-version.js';
export { configOrExit, EX_CONFIG, exitOnBug, exitWhenMisconfigured, stopOnSignal } from './process.js';
export { threadPoolOf, threadsNeeded } from './thread-pool.js';
