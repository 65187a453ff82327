import type { Writable } from 'node:stream';

/** Lines for a person (or a log collector): what happens goes to stdout, what is wrong to stderr. */
export type Screen = { say: (line: string) => void; complain: (line: string) => void };

const UNREAD_BYTES = 4 * 1024 * 1024;

export function createScreen(stdout: Writable, stderr: Writable): Screen {
  return { say: createLineWriter(stdout), complain: createLineWriter(stderr) };
}

/** A reader that stalls or leaves must stop neither the deliveries nor the supervisor: lines it cannot take are dropped. */
function createLineWriter(stream: Writable): (line: string) => void {
  let dropped = 0;
  stream.on('error', () => {});
  return (line) => {
    if (stream.destroyed || stream.writableLength > UNREAD_BYTES) {
      dropped++;
      return;
    }
    if (dropped > 0) stream.write(`(${dropped} lines dropped: nobody read them)\n`);
    dropped = 0;
    stream.write(`${line}\n`);
  };
}
