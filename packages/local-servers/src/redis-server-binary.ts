import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CannotStart } from './cannot-start.js';

export type Installation = { say?: (line: string) => void; signal?: AbortSignal; path?: string };

const NAMES = ['redis-server', 'valkey-server'];

/** The full path of a redis-server or valkey-server, installed with the machine's package manager if that is allowed. */
export async function ensureRedisServer(installation: Installation = {}): Promise<string> {
  const path = installation.path ?? process.env.PATH ?? '';
  return findOnPath(NAMES, path) ?? (await installRedisServer({ ...installation, path }));
}

async function installRedisServer({ say, signal, path }: Installation & { path: string }): Promise<string> {
  const recipe = RECIPES.find(({ tool }) => findOnPath([tool], path) !== undefined);
  const permitted = recipe && (recipe.needsRoot ? rootPrefix(path) : []);
  if (recipe && permitted) {
    say?.(`Installing redis-server (${recipe.tool})`);
    for (const step of recipe.steps) await runQuietly([...permitted, ...step], { path, signal });
  }
  const binary = findOnPath(NAMES, path);
  if (binary) return binary;
  throw new CannotStart(`redis-server is missing: ${advice(recipe)}, or set REDIS_URL to a running one`);
}

type Recipe = { tool: string; needsRoot: boolean; steps: string[][]; byHand: string };

// RUNLEVEL=1 keeps Debian from starting a system-wide server on port 6379, which nobody asked for.
const DEBIAN = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get'];

const RECIPES: Recipe[] = [
  {
    tool: 'apt-get',
    needsRoot: true,
    steps: [
      [...DEBIAN, 'update'],
      [...DEBIAN, 'install', '-y', '--no-install-recommends', 'redis-server'],
    ],
    byHand: 'sudo apt-get install redis-server',
  },
  { tool: 'dnf', needsRoot: true, steps: [['dnf', 'install', '-y', 'redis']], byHand: 'sudo dnf install redis' },
  { tool: 'apk', needsRoot: true, steps: [['apk', 'add', 'redis']], byHand: 'sudo apk add redis' },
  { tool: 'brew', needsRoot: false, steps: [['brew', 'install', 'redis']], byHand: 'brew install redis' },
];

function advice(recipe: Recipe | undefined): string {
  return recipe ? `run "${recipe.byHand}"` : 'install Redis or Valkey';
}

/** What to put in front of a command that needs root; nothing at all if we may not run it. */
function rootPrefix(path: string): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  const sudo = findOnPath(['sudo'], path);
  return sudo && spawnSync(sudo, ['-n', 'true']).status === 0 ? [sudo, '-n'] : undefined;
}

type Limits = { path: string; signal: AbortSignal | undefined };

/** Whether it worked shows in the binary being there; in a group of its own, Ctrl-C does not tear a package in half. */
function runQuietly([file = '', ...args]: string[], { path, signal }: Limits): Promise<void> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: path };
    const child = spawn(file, args, { env, stdio: 'ignore', detached: true, ...(signal ? { signal } : {}) });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

function findOnPath(names: string[], path: string): string | undefined {
  const candidates = names.flatMap((name) => path.split(delimiter).map((directory) => join(directory, name)));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
