import { type ContainerEnds, OpenContainers } from './json-containers.js';
import { decodeString, stringEnd } from './json-string.js';

/** What is wrong with a JSON text, and the JSON pointer (RFC 6901) of where. */
export type JsonProblem = { detail: string; pointer: string };

const [QUOTE, COMMA] = [34, 44];
const [PLUS, MINUS, POINT, ZERO, NINE, UPPER_E, LOWER_E] = [43, 45, 46, 48, 57, 69, 101];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

const UNSTORABLE = /[\0\p{Surrogate}]/u;
/** A number of at most this many characters and without an exponent is certainly finite. */
const MAX_PLAIN_DIGITS = 308;

export type JsonScan = { ok: true; ends: ContainerEnds } | { ok: false; problem: JsonProblem };

/**
 * Finds what JSON.parse accepts and Driftwire must not: duplicate keys, numbers that overflow, text Postgres cannot
 * store, deep nesting. One pass, no recursion, and it stops at the first problem: JSON.parse alone needs more than a
 * second for 8 MiB of `[`, so this runs first. It does not check the grammar; in a text that is not JSON it may find
 * nothing.
 */
export function scanJson(text: string): JsonScan {
  return createScan(text)(text.length) ?? refused(UNFINISHED, '');
}

const UNFINISHED = 'The text was not read to its end.';

/** The same in steps: each goes on up to an offset, and answers null while there is more and nothing wrong so far. */
export function createScan(text: string): (upTo: number) => JsonScan | null {
  const open = new OpenContainers();
  let at = 0;
  let judged = 0;

  return (upTo) => {
    const end = betweenCharacters(text, upTo);
    if (UNSTORABLE.test(text.slice(judged, end))) return refused('The text holds a NUL or a lone surrogate.', '');
    judged = end;
    while (at < upTo) {
      const tokenEndsAt = tokenEnd(text, at);
      const detail = tokenProblem(text, at, tokenEndsAt, open);
      if (detail !== null) return refused(detail, open.pointer());
      at = tokenEndsAt;
    }
    return at < text.length ? null : { ok: true, ends: open.ends };
  };
}

/** A surrogate pair is not cut apart. */
function betweenCharacters(text: string, at: number): number {
  const isPair = at < text.length && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
  return isPair ? at + 1 : at;
}

function refused(detail: string, pointer: string): JsonScan {
  return { ok: false, problem: { detail, pointer } };
}

function tokenEnd(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return stringEnd(text, start);
  if (!startsNumber(code)) return start + 1;
  let at = start + 1;
  while (at < text.length && continuesNumber(text.charCodeAt(at))) at += 1;
  return at;
}

function tokenProblem(text: string, start: number, end: number, open: OpenContainers): string | null {
  const code = text.charCodeAt(start);
  switch (code) {
    case QUOTE:
      return stringProblem(text.slice(start, end), open);
    case COMMA:
      open.next();
      return null;
    case OPEN_BRACE:
    case OPEN_BRACKET:
      return open.enter(start, code === OPEN_BRACE);
    case CLOSE_BRACE:
    case CLOSE_BRACKET:
      open.leave(end);
      return null;
    default:
      return startsNumber(code) ? numberProblem(text, start, end) : null;
  }
}

function stringProblem(raw: string, open: OpenContainers): string | null {
  // What stands in the text unescaped was judged as a whole: only an escape can still hide something.
  const decoded = raw.includes('\\') ? decodeString(raw) : raw.slice(1, -1);
  if (decoded === null) return 'A string has an invalid escape.';
  if (raw.includes('\\u') && UNSTORABLE.test(decoded)) return 'A string holds a NUL or a lone surrogate.';
  return open.awaitsKey() ? open.name(decoded) : null;
}

function numberProblem(text: string, start: number, end: number): string | null {
  if (end - start <= MAX_PLAIN_DIGITS && !hasExponent(text, start, end)) return null;
  const isBounded = Math.abs(Number(text.slice(start, end))) !== Number.POSITIVE_INFINITY; // NaN: no JSON, no overflow
  return isBounded ? null : 'The number is too large to be finite.';
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (isExponent(text.charCodeAt(at))) return true;
  return false;
}

function startsNumber(code: number): boolean {
  return code === MINUS || (code >= ZERO && code <= NINE);
}

function continuesNumber(code: number): boolean {
  return (code >= ZERO && code <= NINE) || code === POINT || code === MINUS || code === PLUS || isExponent(code);
}

function isExponent(code: number): boolean {
  return code === LOWER_E || code === UPPER_E;
}
