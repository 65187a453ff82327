// @ts-check
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { installMissing } from './install-missing.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * From a fresh clone to something that can be imported: packages installed, everything built. Returns whether it worked;
 * if not, it has said why in a line.
 *
 * @param {AbortSignal} stop
 * @returns {Promise<boolean>}
 */
export async function prepare(stop) {
  const options = { root: ROOT, stop, say: console.log };
  process.chdir(ROOT);
  try {
    refuseOldNode(process.versions.node);
    await installMissing(options);
    await build(options);
    return true;
  } catch (error) {
    if (!stop.aborted) console.error(error instanceof Error ? error.message : error);
    process.exitCode = stop.aborted ? 0 : 1;
    return false;
  }
}

/** @param {string} version */
function refuseOldNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(
    `Driftwire needs Node 20.19 or newer, and this is ${version}: install a newer one (https://nodejs.org)`,
  );
}
