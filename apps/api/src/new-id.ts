import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_PER_ID = 16;
/** Asking the kernel for an id's random bytes takes ten times as long as making it: they are asked for by the hundred. */
const random = new Uint8Array(256 * BYTES_PER_ID);
let taken = random.length;

/** The id of a thing that is created now; lists show what is newest first by it. */
export function newId(now: () => Date): string {
  return uuidv7(now().getTime());
}

/** A UUIDv7 of this millisecond since 1970; those of one millisecond are in no order. */
export function uuidv7(msecs: number): string {
  if (taken === random.length) {
    randomFillSync(random);
    taken = 0;
  }
  const bytes = random.subarray(taken, taken + BYTES_PER_ID);
  taken += BYTES_PER_ID;
  return v7({ msecs, random: bytes });
}
