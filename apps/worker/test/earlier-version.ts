import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COMMIT_FILE = new URL('earlier-commit', import.meta.url);
const TURBO_ENV = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

/**
 * The directory with the built API and worker of the commit in `earlier-commit`, the last one whose jobs carried one delivery each.
 * Built from the history with the packages installed here, once for each commit and checkout; a later call takes what is there.
 */
export async function earlierVersion(): Promise<string> {
  const commit = (await readFile(COMMIT_FILE, 'utf8')).trim();
  await refuseShallowHistory(commit);
  const checkout = createHash('sha256').update(ROOT).digest('hex').slice(0, 8);
  const directory = join(tmpdir(), `driftwire-${commit.slice(0, 12)}-${checkout}`);
  if (!(await exists(directory))) await build(commit, directory);
  return directory;
}

async function refuseShallowHistory(commit: string): Promise<void> {
  const isThere = run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT });
  await isThere.catch((cause) => {
    const advice = `fetch it: git fetch --depth=1 origin ${commit}, or git fetch --unshallow`;
    throw new Error(`this checkout has no commit ${commit}, whose workers these tests run; ${advice}`, { cause });
  });
}

/** Aside first: a build that is stopped half way, or runs twice, leaves nothing that could be taken for one. */
async function build(commit: string, directory: string): Promise<void> {
  const staging = await mkdtemp(`${directory}-`);
  try {
    await buildIn(staging, commit);
    await rename(staging, directory).catch(unlessTaken);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function buildIn(directory: string, commit: string): Promise<void> {
  const archive = join(directory, 'archive.tar');
  await run('git', ['archive', '--output', archive, commit], { cwd: ROOT });
  await run('tar', ['-xf', archive], { cwd: directory });
  await linkPackages(directory);
  const turbo = join(directory, 'node_modules/turbo/bin/turbo');
  const programs = ['--filter=@driftwire/api', '--filter=@driftwire/worker'];
  await run(process.execPath, [turbo, 'run', 'build', '--ui=stream', '--output-logs=errors-only', ...programs], {
    cwd: directory,
    // Jest's own options are not for a build.
    env: { ...process.env, ...TURBO_ENV, NODE_OPTIONS: '' },
  });
}

function unlessTaken(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
}

/** What is installed here, but for our own packages: those are the earlier ones. */
async function linkPackages(directory: string): Promise<void> {
  const installed = join(ROOT, 'node_modules');
  const linked = join(directory, 'node_modules');
  await mkdir(join(linked, '@driftwire'), { recursive: true });
  const packages = (await readdir(installed)).filter((name) => name !== '@driftwire' && name !== '.cache');
  await Promise.all(packages.map((name) => symlink(join(installed, name), join(linked, name))));
  for (const kind of ['apps', 'packages']) {
    for (const name of await readdir(join(directory, kind))) {
      await symlink(join('../..', kind, name), join(linked, '@driftwire', name));
    }
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
