/** What a process reads first, apart from the package's entry: judging the environment must not load anything else. */
export { keepCompiledCode } from './compile-cache.js';
export { type ApiConfig, apiEnvironment, type WorkerConfig, workerEnvironment } from './config.js';
export { compileWasmOnce } from './lean-wasm.js';
export { configOrExit } from './process.js';
