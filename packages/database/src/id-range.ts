export type IdRange = { lowest: string; highest: string };

const NONE = '00000000-0000-0000-0000-000000000000';

/**
 * The range of all UUIDv7 of the milliseconds from the earliest of these ids to the latest; the ids of an event and of its
 * deliveries are in the same one. A statement that says it beside the ids opens the partitions of these days only. Never beside a join
 * alone: then all that the range holds may be read (rows-read.test.ts).
 */
export function idRange(ids: readonly string[]): IdRange {
  const [first = NONE, ...rest] = ids.map((id) => id.toLowerCase());
  const earliest = rest.reduce((lowest, id) => (id < lowest ? id : lowest), first);
  const latest = rest.reduce((highest, id) => (id > highest ? id : highest), first);
  return {
    lowest: `${earliest.slice(0, MILLISECOND_CHARS)}-0000-0000-000000000000`,
    highest: `${latest.slice(0, MILLISECOND_CHARS)}-ffff-ffff-ffffffffffff`,
  };
}

/** RFC 9562, section 5.7: 48 bits of milliseconds come first. */
const MILLISECOND_CHARS = '019a0000-0000'.length;
