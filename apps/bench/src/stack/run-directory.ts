import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for databases and logs, gone afterwards unless somebody will want to look into it. */
export async function withRunDirectory<T>(
  keep: boolean,
  say: (line: string) => void,
  use: (directory: string) => Promise<{ result: T; isWorthKeeping: boolean }>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-bench-'));
  // Others may pass through it: started by root, Postgres runs as somebody else.
  chmodSync(directory, 0o711);
  let isKept = keep;
  try {
    const { result, isWorthKeeping } = await use(directory);
    isKept ||= isWorthKeeping;
    return result;
  } finally {
    if (isKept) say(`Databases and logs are in ${directory}`);
    else rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
