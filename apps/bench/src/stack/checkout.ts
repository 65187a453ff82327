import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** This one or another, built, whose programs run. `name` says its directory and its commit. */
export type Checkout = { root: string; name: string };

type LocalServers = typeof import('@driftwire/local-servers');
/** How programs and servers are started: flags and settings belong to what is measured. */
export type Commands = Pick<LocalServers, 'nodeCommand' | 'postgresCommand' | 'redisCommand'>;

const LOCAL_SERVERS = 'packages/local-servers/dist/index.js';
const BUILT_FILES = [
  LOCAL_SERVERS,
  'packages/database/dist/migrate-cli.js',
  'apps/api/dist/main.js',
  'apps/worker/dist/main.js',
];

/** As that checkout starts them. */
export async function commandsOf(root: string): Promise<Commands> {
  const commands: Commands = await import(pathToFileURL(join(root, LOCAL_SERVERS)).href);
  return commands;
}

export function describeCheckout(root: string): Checkout {
  return { root, name: `${basename(root)} ${readCommit(root)}` };
}

/** The first file that is not there although a stack needs it. */
export function findMissingFile(root: string): string | undefined {
  return BUILT_FILES.map((file) => join(root, file)).find((file) => !existsSync(file));
}

/** With a + when something has been changed since. */
function readCommit(root: string): string {
  const git = (...args: string[]) => spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short', 'HEAD');
  if (status !== 0) return '(no commit)';
  return `${stdout.trim()}${git('status', '--porcelain', '--untracked-files=no').stdout === '' ? '' : '+'}`;
}
