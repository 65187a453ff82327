import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isNativeError } from 'node:util/types';

export type FileSystem = Pick<
  typeof import('node:fs'),
  'openSync' | 'writeFileSync' | 'fsyncSync' | 'closeSync' | 'renameSync'
>;

const ON_DISK: FileSystem = { openSync, writeFileSync, fsyncSync, closeSync, renameSync };

/** All or nothing, also for a reader at the same moment or after a kill -9. Readable by the owner only. */
export function replaceFile(file: string, text: string): void {
  const draft = draftOf(file);
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

/** The same after a power cut: the text is on the disk before its name is, and the name before this returns. */
export function replaceFileForGood(file: string, text: string, fs: FileSystem = ON_DISK): void {
  const draft = draftOf(file);
  withDescriptor(fs, fs.openSync(draft, 'w', 0o600), (descriptor) => {
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  });
  fs.renameSync(draft, file);
  withDescriptor(fs, fs.openSync(dirname(file), 'r'), (directory) => syncDirectory(fs, directory));
}

/** Not every file system can: then the name is as safe as that makes it. */
function syncDirectory(fs: FileSystem, directory: number): void {
  try {
    fs.fsyncSync(directory);
  } catch (error) {
    if (!isNativeError(error) || !('code' in error) || !CANNOT_SYNC.has(`${error.code}`)) throw error;
  }
}

const CANNOT_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM']);

function withDescriptor(fs: FileSystem, descriptor: number, work: (descriptor: number) => void): void {
  try {
    work(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function draftOf(file: string): string {
  return `${file}.${process.pid}`;
}

/** What the file holds, or undefined if there is none or it is not JSON. */
export function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
