/** The first bytes of a body, and how many were read. */
export type ReadBody = { start: Buffer; readBytes: number };

/** What an attempt's record keeps of a body. */
export const KEPT_BYTES = 4 * 1024;
/** A body that ends within this is read to its end, so that the connection can be used again. */
const MAX_READ_BYTES = 64 * 1024;

/** Keeps the start of a body and says when reading on is pointless. */
export function createBodyStart(): { take(chunk: Buffer): 'more' | 'enough'; read(): ReadBody } {
  const kept: Buffer[] = [];
  let readBytes = 0;
  return {
    take(chunk) {
      if (readBytes < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - readBytes));
      readBytes += chunk.length;
      return readBytes < MAX_READ_BYTES ? 'more' : 'enough';
    },
    read: () => ({ start: Buffer.concat(kept), readBytes }),
  };
}
