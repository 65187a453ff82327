import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { CannotStart, findFreePort, until } from '@driftwire/local-servers';
import type { Checkout } from '../stack/checkout.js';
import { withRunDirectory } from '../stack/run-directory.js';
import { type Call, openApi } from './load.js';

/** A Driftwire as `npm start` brings it up; `pid` is npm's, and everything else descends from it. */
export type NpmStart = { checkout: Checkout; pid: number; call: Call };

const UP_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 30_000;

export function withNpmStart<T>(checkout: Checkout, use: (started: NpmStart) => Promise<T>): Promise<T> {
  return withRunDirectory(
    false,
    () => {},
    async (directory) => {
      const port = await findFreePort();
      const key = randomBytes(24).toString('hex');
      const child = spawn('npm', ['start'], {
        cwd: checkout.root,
        env: { ...whereThingsAre(), DATA_DIR: join(directory, 'data'), PORT: `${port}`, ADMIN_API_KEY: key },
        // Out of reach of a Ctrl-C: it is stopped here, once, and waited for.
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const ended = once(child, 'exit');
      try {
        const url = `http://127.0.0.1:${port}`;
        const isOver = async () => child.exitCode !== null || (await isReady(url));
        await until(isOver, { deadlineMs: UP_WITHIN_MS });
        if (child.pid === undefined || !(await isReady(url))) {
          throw new CannotStart(`npm start in ${checkout.root} was not ready within ${UP_WITHIN_MS / 1_000} s`);
        }
        const result = await use({ checkout, pid: child.pid, call: openApi({ url, key }) });
        return { result, isWorthKeeping: false };
      } finally {
        child.kill('SIGTERM');
        await Promise.race([ended, until(() => false, { deadlineMs: STOPPED_WITHIN_MS })]);
      }
    },
  );
}

/** And nothing else of ours: what it does by itself is what is measured. */
function whereThingsAre(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/' };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
