import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, until } from '@driftwire/local-servers';
import type { ChildRecord } from '../src/child-records.js';
import { main } from '../src/main.js';

export const APP = join(import.meta.dirname, 'stand-ins', 'app.mjs');
export const MIGRATE = join(import.meta.dirname, 'stand-ins', 'migrate.mjs');
export const START = join(import.meta.dirname, 'stand-ins', 'start.mjs');

export type Setup = { dataDir?: string; port?: number; args?: string[]; env?: Record<string, string> };

/** `npm start` in this process, with real servers and stand-ins for the API, the workers and the migrations. */
export async function startStack(setup: Setup = {}) {
  const { dataDir = freshDirectory(), port = await findFreePort(), args = [] } = setup;
  const stop = new AbortController();
  const said: string[] = [];
  const complaints: string[] = [];
  const exitCode = main({
    args,
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: `${port}`, ...setup.env },
    root: dataDir,
    programs: { api: APP, worker: APP, migrate: MIGRATE },
    screen: { say: (line) => said.push(line), complain: (line) => complaints.push(line) },
    stop: stop.signal,
  });
  let isOver = false;
  void exitCode.then(() => {
    isOver = true;
  });
  await until(() => isOver || said.join('\n').includes('is ready'), { deadlineMs: 30_000 });
  return {
    dataDir,
    port,
    said,
    complaints,
    exitCode,
    children: () => readChildren(dataDir),
    async stop() {
      stop.abort();
      return exitCode;
    },
  };
}

export function readChildren(dataDir: string): ChildRecord[] {
  return JSON.parse(readFileSync(join(dataDir, 'children.json'), 'utf8'));
}

const directories: string[] = [];

export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-start-'));
  directories.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
