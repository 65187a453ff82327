import { isUtf8 } from 'node:buffer';
import { type JsonText, readJsonText } from '@driftwire/delivery';
import type { z } from 'zod';
import { invalid, Problem, type Violation } from './problem.js';

const NOTHING: JsonText = { value: {}, spanOf: () => undefined, textOf: () => undefined };

/** The body as JSON, with its text kept for cutting; a 400 says where it is not acceptable. */
export function readJson(bytes: Buffer | undefined): JsonText {
  if (bytes === undefined || bytes.length === 0) throw new Problem('invalid_json', 'The body is empty: send JSON.');
  if (!isUtf8(bytes)) throw new Problem('invalid_json', 'The body is not valid UTF-8.');
  const reading = readJsonText(bytes.toString('utf8'));
  if (reading.ok) return reading.json;
  throw new Problem('invalid_json', reading.problem.detail, { violations: [reading.problem] });
}

/** The same for a body that may be missing, as an empty object. */
export function readOptionalJson(bytes: Buffer | undefined): JsonText {
  return bytes === undefined || bytes.length === 0 ? NOTHING : readJson(bytes);
}

/** Validates a body or a query and answers every violation at once. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first, ...rest] = result.error.issues.flatMap((issue) => violationsOf(issue, value));
  throw invalid([first ?? { pointer: '', detail: 'is not valid' }, ...rest]);
}

function violationsOf(issue: z.core.$ZodIssue, value: unknown): Violation[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'is not a known field' }));
  }
  const isMissing = issue.path.length > 0 && valueAt(value, issue.path) === undefined;
  return [{ pointer: pointerOf(issue.path), detail: isMissing ? `is required: ${issue.message}` : issue.message }];
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
