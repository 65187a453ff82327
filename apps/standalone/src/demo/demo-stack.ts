import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@driftwire/local-servers';
import type { Screen } from '@driftwire/terminal';
import { findPrograms } from '../main.js';
import type { Environment } from '../settings.js';
import { runStack, type Stack } from '../stack.js';

export type DemoStackOptions = { env: Environment; root: string; screen: Screen; verbose: boolean; stop: AbortSignal };

/** What the stories depend on, whatever the environment says. */
const SETTINGS = {
  ALLOW_PRIVATE_ENDPOINTS: 'true',
  RATE_LIMIT_PER_KEY: '0',
  MAX_ATTEMPTS: '3',
  RETRY_BASE_DELAY_MS: '500',
};

/** A whole stack of the demo's own: empty, on free ports, and gone without a trace afterwards. */
export async function runDemoStack(
  { env, root, screen, verbose, stop }: DemoStackOptions,
  use: (stack: Stack, over: AbortSignal) => Promise<void>,
): Promise<void> {
  const dataDir = makeDataDir();
  const settings = {
    dataDir,
    host: '127.0.0.1',
    port: await findFreePort(),
    databaseUrl: undefined,
    redisUrl: undefined,
    adminApiKey: undefined,
    encryptionKeys: undefined,
  };
  const environment = { ...env, ...SETTINGS, LOG_LEVEL: verbose ? 'info' : 'warn' };
  const options = { settings, env: environment, workers: 1, programs: findPrograms(root), screen, stop };
  try {
    await runStack(options, use);
  } finally {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Others may pass through it: started by root, Postgres runs as somebody else. */
function makeDataDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-demo-'));
  chmodSync(directory, 0o711);
  return directory;
}
