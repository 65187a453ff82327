import * as fs from 'node:fs';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FileSystem, replaceFileForGood } from './atomic-file.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftwire-atomic-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** The real file system, and what was asked of it, by the last part of each path. */
function watched(overrides: Partial<FileSystem> = {}) {
  const calls: string[] = [];
  const names = new Map<number, string>();
  const nameOf = (path: fs.PathLike) =>
    `${path}` === dir ? 'directory' : `${path}`.endsWith('.json') ? 'file' : 'draft';
  const system: FileSystem = {
    ...fs,
    openSync: (path, ...rest) => {
      const descriptor = fs.openSync(path, ...rest);
      names.set(descriptor, nameOf(path));
      return descriptor;
    },
    writeFileSync: (target, ...rest) => {
      calls.push(`write ${names.get(Number(target))}`);
      fs.writeFileSync(target, ...rest);
    },
    fsyncSync: (descriptor) => {
      calls.push(`fsync ${names.get(descriptor)}`);
      fs.fsyncSync(descriptor);
    },
    renameSync: (from, to) => {
      calls.push(`rename ${nameOf(from)} to ${nameOf(to)}`);
      fs.renameSync(from, to);
    },
    ...overrides,
  };
  return { system, calls };
}

test('the text is on the disk before its name, and the name before this returns', () => {
  const { system, calls } = watched();
  replaceFileForGood(join(dir, 'secrets.json'), 'new', system);
  expect(calls).toEqual(['write draft', 'fsync draft', 'rename draft to file', 'fsync directory']);
});

test('the file is replaced as a whole, its owner alone reads it, and no draft is left', () => {
  const file = join(dir, 'secrets.json');
  replaceFileForGood(file, 'a longer text of before');
  replaceFileForGood(file, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['secrets.json']);
});

test('a disk that does not take the text leaves what was there', () => {
  const file = join(dir, 'secrets.json');
  replaceFileForGood(file, 'before');
  const { system } = watched({
    fsyncSync: () => {
      throw new Error('ENOSPC');
    },
  });
  expect(() => replaceFileForGood(file, 'new', system)).toThrow('ENOSPC');
  expect(readFileSync(file, 'utf8')).toBe('before');
});

test('a file system that cannot sync a directory is no reason to fail', () => {
  const file = join(dir, 'secrets.json');
  let syncs = 0;
  const { system } = watched({
    fsyncSync: (descriptor) => {
      syncs += 1;
      if (syncs === 2) throw Object.assign(new Error('EINVAL'), { code: 'EINVAL' });
      fs.fsyncSync(descriptor);
    },
  });
  replaceFileForGood(file, 'new', system);
  expect(readFileSync(file, 'utf8')).toBe('new');
});
