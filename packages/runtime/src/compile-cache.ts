import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** Among what is installed, so that nobody else may write there, as they may in a shared temporary directory. */
const CACHE_DIR = fileURLToPath(new URL('../../../node_modules/.cache/driftwire', import.meta.url));

/**
 * Lets Node keep what it compiled for the next start, where it can: from 22.1 on. A directory that cannot be written is no
 * error, only no cache; NODE_COMPILE_CACHE names another.
 */
export function keepCompiledCode(): void {
  const enable: unknown = Reflect.get(module, 'enableCompileCache');
  if (typeof enable === 'function') enable(CACHE_DIR);
}
