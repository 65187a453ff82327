import type { ContainerEnds } from './json-containers.js';
import { type JsonProblem, scanJson } from './json-scan.js';
import { type ChildSpan, childSpans, type JsonSpan, rootSpan } from './json-span.js';
import { textWithoutMember } from './json-splice.js';

/** Keys and indexes from the root down: `['events', 3, 'data']`; the root itself is `[]`. */
export type JsonPath = readonly (string | number)[];

/**
 * A JSON text with its parsed value. Cut, never re-serialise: parsing loses key order of numbers, `1.10` and 20-digit
 * integers, so whatever must arrive as sent is cut from the text. A missing path has no span and no text.
 */
export type JsonText = {
  value: unknown;
  spanOf: (path: JsonPath) => JsonSpan | undefined;
  textOf: (path: JsonPath) => string | undefined;
  /** The text of the object at `path` without one of its members; see `removeMember`. */
  textWithout: (path: JsonPath, key: string) => string | undefined;
};

export type JsonReading = { ok: true; json: JsonText } | { ok: false; problem: JsonProblem };

/** Reads what a producer sent, or says what is wrong with it (see `scanJson` for what is refused beyond grammar). */
export function readJsonText(text: string): JsonReading {
  const scan = scanJson(text);
  return scan.ok ? readScanned(text, rootSpan(text), scan.ends) : scan;
}

/** Reads one value of a text that has been scanned. Its paths begin at the value. */
export function readScanned(text: string, root: JsonSpan, ends: ContainerEnds): JsonReading {
  try {
    const value: unknown = JSON.parse(text.slice(root.start, root.end));
    return { ok: true, json: jsonText(text, { root, value, ends }) };
  } catch (error) {
    return { ok: false, problem: { detail: `The text is not valid JSON: ${reasonOf(error)}.`, pointer: '' } };
  }
}

/** Spaces other than the plain one, marks without width, control characters. */
const UNSEEN = /[^\P{C}]|[^\P{Z} ]/gu;

/** A container is walked when it is first asked about, and only once. */
function jsonText(
  text: string,
  { root, value, ends }: { root: JsonSpan; value: unknown; ends: ContainerEnds },
): JsonText {
  const walked = new Map<number, Map<string | number, ChildSpan>>();

  const childrenAt = (start: number) => {
    const children = walked.get(start) ?? childSpans(text, start, ends);
    walked.set(start, children);
    return children;
  };
  const spanOf = (path: JsonPath): JsonSpan | undefined => {
    let span: JsonSpan | undefined = root;
    for (const step of path) span = span && childrenAt(span.start).get(step);
    return span && { start: span.start, end: span.end };
  };
  const textOf = (path: JsonPath): string | undefined => {
    const span = spanOf(path);
    return span && text.slice(span.start, span.end);
  };
  const textWithout = (path: JsonPath, key: string): string | undefined => {
    const span = spanOf(path);
    return span && textWithoutMember(text, { object: span, members: childrenAt(span.start), key });
  };
  return { value, spanOf, textOf, textWithout };
}

/** What nobody can see in the text that the reason quotes is named. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return reason.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
