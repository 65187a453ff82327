import { configOrExit, keepCompiledCode, workerEnvironment } from '@driftwire/runtime/configuration';

process.title = 'driftwire-worker';
// Before anything else is loaded: a mistake in the environment is answered at once.
const config = configOrExit(workerEnvironment);
keepCompiledCode();

const { runWorker } = await import('./worker.js');
await runWorker(config);
