import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from compiling WebAssembly a second time, better: it does so for Prisma's query compiler as it starts, which takes 60 MiB
 * that are never given back. What it compiles is the shape of ordinary queries, and remembers that; statements of our own never see it.
 */
export function compileWasmOnce(): void {
  setFlagsFromString('--liftoff-only');
}
