import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export type LogTail = { read: () => string; close: () => void };

/** What is written to a log from now on: each read gives what came since the one before. */
export function openLogTail(file: string): LogTail {
  const descriptor = openSync(file, 'r');
  let position = fstatSync(descriptor).size;
  return {
    read() {
      const buffer = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - position));
      position += readSync(descriptor, buffer, 0, buffer.length, position);
      return buffer.toString();
    },
    close: () => closeSync(descriptor),
  };
}
