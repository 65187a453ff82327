import { isUtf8 } from 'node:buffer';
import { type JsonProblem, type JsonText, readJsonText } from '@driftwire/delivery';
import type { z } from 'zod';
import { wordsFor } from './issue-words.js';
import { invalid, Problem, type Violation } from './problem.js';

const EMPTY = Buffer.alloc(0);
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const NOTHING: JsonText = { value: {}, spanOf: () => undefined, textOf: () => undefined, textWithout: () => undefined };

/** The body as JSON, with its text kept for cutting; a 400 says where it is not acceptable. */
export function readJson(bytes: Buffer | undefined): JsonText {
  const reading = readJsonText(jsonTextOf(bytes));
  if (reading.ok) return reading.json;
  throw jsonProblem(reading.problem);
}

/** The text of a body that must be JSON, as it was sent. */
export function jsonTextOf(bytes: Buffer | undefined): string {
  const content = contentOf(bytes);
  if (content === null) throw new Problem('invalid_json', 'The body is empty: send JSON.');
  if (!isUtf8(content)) throw new Problem('invalid_json', 'The body is not valid UTF-8.');
  return content.toString('utf8');
}

export function jsonProblem(problem: JsonProblem): Problem {
  return new Problem('invalid_json', problem.detail, { violations: [problem] });
}

/** The same for a body that may be missing, as an empty object. */
export function readOptionalJson(bytes: Buffer | undefined): JsonText {
  return contentOf(bytes) === null ? NOTHING : readJson(bytes);
}

/** Null when there is nothing. A byte order mark may be ignored (RFC 8259, section 8.1): `data` is cut from behind it. */
function contentOf(bytes: Buffer = EMPTY): Buffer | null {
  const isMarked = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const content = isMarked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
  return content.length === 0 ? null : content;
}

/** Validates a body and answers every violation at once. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  return validate(schema, value, detailOf);
}

/** The same for a query, in which a parameter that is given twice comes as a list. */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  return validate(schema, query, (issue, given) =>
    Array.isArray(given) ? 'must be given once' : detailOf(issue, given),
  );
}

/** Validates what is a part of a body: its violations are the caller's to answer. */
export function check<T>(schema: z.ZodType<T>, value: unknown, detail: DetailOf = detailOf): Checked<T> {
  const result = schema.safeParse(value, { error: wordsFor });
  if (result.success) return { ok: true, data: result.data };
  return { ok: false, violations: result.error.issues.flatMap((issue) => violationsOf(issue, value, detail)) };
}

export type Checked<T> = { ok: true; data: T } | { ok: false; violations: Violation[] };

type DetailOf = (issue: z.core.$ZodIssue, given: unknown) => string;

function validate<T>(schema: z.ZodType<T>, value: unknown, detail: DetailOf): T {
  const checked = check(schema, value, detail);
  if (checked.ok) return checked.data;
  const [first, ...rest] = checked.violations;
  throw invalid([first ?? { pointer: '', detail: 'is not valid' }, ...rest]);
}

function violationsOf(issue: z.core.$ZodIssue, value: unknown, detail: DetailOf): Violation[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'is not a known field' }));
  }
  return [{ pointer: pointerOf(issue.path), detail: detail(issue, valueAt(value, issue.path)) }];
}

function detailOf({ path, message }: z.core.$ZodIssue, given: unknown): string {
  return path.length > 0 && given === undefined ? `is required: ${message}` : message;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((parent, step) => (isObject(parent) ? parent[step] : undefined), value);
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

/** RFC 6901. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
