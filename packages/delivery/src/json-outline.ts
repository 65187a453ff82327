import type { ContainerEnds } from './json-containers.js';
import { createScan, type JsonProblem } from './json-scan.js';
import { eachChild, type JsonSpan, rootSpan } from './json-span.js';
import { type JsonReading, readScanned } from './json-text.js';

/** A large JSON object but for the items of its list, which are read one at a time. */
export type JsonOutline = {
  /** The object; in the place of each item of the list stands an empty text. */
  value: unknown;
  /** Where the items stand. */
  items: readonly JsonSpan[];
  itemAt: (item: JsonSpan) => JsonReading;
};

export type OutlineReading = { ok: true; outline: JsonOutline } | { ok: false; problem: JsonProblem };

export type OutlineOptions = {
  /** The member that is the list. */
  list: string;
  /** Of a longer list only so many items and one more are in the outline. */
  maxItems: number;
  /** Awaited every few milliseconds of work. */
  pause: () => Promise<void> | undefined;
};

/** Scanned at a time: about a millisecond. */
const STEP = 64 * 1024;
/** What stands beside the items. It is read in one go. */
const MAX_REST = 64 * 1024;
const MAX_MEMBERS = 64;

/**
 * Reads an object with a long list (a batch) without ever parsing it whole, which for 8 MiB takes a tenth of a second. The
 * text is valid JSON exactly when the outline is, and each item is: whatever the item is cut out of, a text stands in its place.
 */
export async function outlineJson(text: string, { list, maxItems, pause }: OutlineOptions): Promise<OutlineReading> {
  const scan = createScan(text);
  let scanned = scan(STEP);
  for (let upTo = 2 * STEP; scanned === null; upTo += STEP) {
    await pause();
    scanned = scan(upTo);
  }
  if (!scanned.ok) return scanned;
  const { ends } = scanned;
  const found = findList(text, list, ends);
  const items = found === undefined ? [] : itemsOf(text, found, { ends, maxItems });
  const rest = withoutItems(text, items, items.length > maxItems ? (found?.end ?? 0) - 1 : undefined);
  if (rest.length > MAX_REST)
    return { ok: false, problem: { detail: `More than 64 KiB stand beside the ${list}.`, pointer: '' } };
  const reading = readScanned(rest, rootSpan(rest), new Map());
  if (!reading.ok) return reading;
  return {
    ok: true,
    outline: { value: reading.json.value, items, itemAt: (item) => readScanned(text, item, ends) },
  };
}

function findList(text: string, list: string, ends: ContainerEnds): JsonSpan | undefined {
  let members = 0;
  for (const { key, span } of eachChild(text, rootSpan(text).start, ends)) {
    members += 1;
    if (key === list) return text[span.start] === '[' ? span : undefined;
    if (members === MAX_MEMBERS) return undefined;
  }
  return undefined;
}

function itemsOf(
  text: string,
  list: JsonSpan,
  { ends, maxItems }: { ends: ContainerEnds; maxItems: number },
): JsonSpan[] {
  const items: JsonSpan[] = [];
  for (const { span } of eachChild(text, list.start, ends)) {
    items.push(span);
    if (items.length > maxItems) break;
  }
  return items;
}

/** `resumeAt`: where the text goes on behind the last item, if not right behind it. */
function withoutItems(text: string, items: readonly JsonSpan[], resumeAt?: number): string {
  let rest = '';
  let at = 0;
  for (const { start, end } of items) {
    rest += `${text.slice(at, start)}""`;
    at = end;
  }
  return rest + text.slice(resumeAt ?? at);
}
