import { configOrExit, workerEnvironment } from '@driftwire/runtime/configuration';
import { runWorker } from './worker.js';

process.title = 'driftwire-worker';

/** A worker that holds, and lets nothing go again: `npm run chaos -- --sabotage release` shows that this is noticed. */
await runWorker(configOrExit(workerEnvironment), { heldEndpoints: async () => [], releaseHeld: async () => [] });
