import type { ContainerEnds } from './json-containers.js';
import { decodeString, stringEnd } from './json-string.js';

/** From the first character of a value to the offset behind its last. */
export type JsonSpan = { start: number; end: number };

/** `from` is where the whole member begins, at its key; an item of an array begins at its value. */
export type ChildSpan = JsonSpan & { from: number };

const [QUOTE, COMMA] = [34, 44];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];
const SPACES = new Set([9, 10, 13, 32]);

export type Child = { key: string | null; span: ChildSpan };

/**
 * The children of the object or array that opens at `start`, in order: by key in an object, by index in an array,
 * none in any other value. The text must be valid JSON. `ends`, from a scan of the same text, makes it faster.
 */
export function childSpans(
  text: string,
  start: number,
  ends: ContainerEnds = new Map(),
): Map<string | number, ChildSpan> {
  const children = new Map<string | number, ChildSpan>();
  for (const { key, span } of eachChild(text, start, ends)) children.set(key ?? children.size, span);
  return children;
}

/** The same one by one, for who may stop early. In a text that is not JSON it finds anything, but it ends. */
export function* eachChild(text: string, start: number, ends: ContainerEnds): Generator<Child> {
  const opener = text.charCodeAt(start);
  if (opener !== OPEN_BRACE && opener !== OPEN_BRACKET) return;
  let at = skipSpaces(text, start + 1);
  while (at < text.length && !isCloser(text.charCodeAt(at))) {
    const child = childAt(text, at, opener === OPEN_BRACE, ends);
    yield child;
    at = skipSpaces(text, child.span.end);
    if (text.charCodeAt(at) === COMMA) at = skipSpaces(text, at + 1);
  }
}

/** The span of the whole value, without the spaces around it. */
export function rootSpan(text: string): JsonSpan {
  return { start: skipSpaces(text, 0), end: text.trimEnd().length };
}

function childAt(text: string, from: number, isMember: boolean, ends: ContainerEnds): Child {
  if (!isMember) return { key: null, span: { from, start: from, end: valueEnd(text, from, ends) } };
  const keyEnd = stringEnd(text, from);
  const colon = skipSpaces(text, keyEnd);
  const start = skipSpaces(text, colon + 1);
  return { key: decodeString(text.slice(from, keyEnd)), span: { from, start, end: valueEnd(text, start, ends) } };
}

function valueEnd(text: string, start: number, ends: ContainerEnds): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return stringEnd(text, start);
  if (!isOpener(code)) return scalarEnd(text, start);
  return ends.get(start) ?? containerEnd(text, start);
}

function containerEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isOpener(code)) depth += 1;
    else if (isCloser(code)) depth -= 1;
    at = code === QUOTE ? stringEnd(text, at) : at + 1;
    if (depth === 0) return at;
  }
  return text.length;
}

/** Always moves on, so that no text, valid or not, can hold a caller's loop. */
function scalarEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at += 1;
  return at;
}

function endsScalar(code: number): boolean {
  return code === COMMA || isCloser(code) || SPACES.has(code);
}

function skipSpaces(text: string, start: number): number {
  let at = start;
  while (SPACES.has(text.charCodeAt(at))) at += 1;
  return at;
}

function isOpener(code: number): boolean {
  return code === OPEN_BRACE || code === OPEN_BRACKET;
}

function isCloser(code: number): boolean {
  return code === CLOSE_BRACE || code === CLOSE_BRACKET;
}
