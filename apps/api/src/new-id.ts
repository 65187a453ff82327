import { v7 as uuidv7 } from 'uuid';

/** The id of a thing that is created now; lists show what is newest first by it. */
export function newId(now: () => Date): string {
  return uuidv7({ msecs: now().getTime() });
}
