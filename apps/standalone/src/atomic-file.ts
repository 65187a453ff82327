import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** All or nothing, also for a reader at the same moment or after a kill -9. Readable by the owner only. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

/** What the file holds, or undefined if there is none or it is not JSON. */
export function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
