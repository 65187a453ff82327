import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@driftwire/local-servers';
import { until } from './until.js';

export const ADMIN_API_KEY = 'test-admin-key-0123456789abcdef0123456789';

export type TestProcess = {
  url: string;
  pid: number;
  /** Everything it printed so far. */
  output: () => string;
  signal: (signal: NodeJS.Signals) => void;
  /** SIGTERM, and its exit code. */
  stop: () => Promise<number | null>;
  exited: Promise<number | null>;
};

export type ProcessOptions = {
  databaseUrl: string;
  redisUrl: string;
  env?: Record<string, string>;
  /** Where the built programs are: another version's, or else ours. */
  root?: string;
};

/** The built API as a process of its own, ready to answer. */
export async function startApi(options: ProcessOptions): Promise<TestProcess> {
  const port = await findFreePort();
  return startProcess('apps/api/dist/main.js', port, { ...options, env: { PORT: `${port}`, ...options.env } });
}

/** The built worker as a process of its own, ready to take jobs. */
export async function startWorker(options: ProcessOptions): Promise<TestProcess> {
  const port = await findFreePort();
  return startProcess('apps/worker/dist/main.js', port, {
    ...options,
    env: { WORKER_PORT: `${port}`, ...options.env },
  });
}

/** A second alone; many at once on a busy machine take their time. */
const STARTED_WITHIN_MS = 30_000;

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

async function startProcess(script: string, port: number, options: ProcessOptions): Promise<TestProcess> {
  const child = spawn(process.execPath, [join(options.root ?? ROOT, script)], {
    env: environment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = `http://127.0.0.1:${port}`;
  const output = collect(child);
  const exited = once(child, 'exit').then(([code]): number | null => code);
  const answers = () =>
    fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
  const isUp = await until(async () => child.exitCode !== null || (await answers()), { deadlineMs: STARTED_WITHIN_MS });
  if (!isUp || child.exitCode !== null || child.pid === undefined)
    throw new Error(`${script} did not start: ${output()}`);
  return {
    url,
    pid: child.pid,
    output,
    exited,
    signal: (signal) => child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      // A test that failed may have left it frozen.
      child.kill('SIGCONT');
      return exited;
    },
  };
}

function environment({ databaseUrl, redisUrl, env = {} }: ProcessOptions): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    ADMIN_API_KEY,
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    ALLOW_PRIVATE_ENDPOINTS: 'true',
    RETRY_BASE_DELAY_MS: '100',
    REQUEST_TIMEOUT_MS: '1000',
    RATE_LIMIT_PER_KEY: '0',
    ...env,
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}
