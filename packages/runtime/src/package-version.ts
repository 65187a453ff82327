import { readFileSync } from 'node:fs';

/** Driftwire's version, as the `User-Agent` of every webhook says it. All workspaces carry the same one. */
export const version = readVersion();

function readVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
