import type { Operation } from './operations.js';
import type { FuzzAnswer } from './send.js';

/** Of any operation: a hostile id can make its path another one, or none. */
const NOT_FOUND = 404;

/** How the API's validation library begins its sentences: they must not reach a caller. */
const NOT_OURS =
  /invalid (input|option|key|value|string|element|uuid)|expected .* received|unrecognized key|too (small|big)/i;

/** What is wrong with an answer, as a sentence; null when it is one that the document promises. */
export function problemWith(answer: FuzzAnswer, operation: Operation): string | null {
  if (answer.kind === 'none') return `no answer: ${answer.reason}`;
  const { status, contentType = '', requestId, text } = answer;
  if (status >= 500) return `${status}: ${text.slice(0, 300)}`;
  const words = NOT_OURS.exec(text)?.[0];
  if (status >= 400 && words !== undefined)
    return `${status} in a library's own words, "${words}": ${text.slice(0, 300)}`;
  if (requestId === undefined) return `${status} without an X-Request-Id`;
  const documented = operation.answers.get(status) ?? (status === NOT_FOUND ? operation.answers.get(401) : undefined);
  if (documented === undefined) return `${status} is not documented: ${text.slice(0, 300)}`;
  const type = documented.contentType;
  if (type !== undefined && !contentType.startsWith(type)) return `${status} as ${contentType}, not ${type}`;
  const problem = documented.problemWith(bodyOf(text));
  return problem === null ? null : `${status} not as documented: ${problem}: ${text.slice(0, 300)}`;
}

function bodyOf(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
