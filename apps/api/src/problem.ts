/** Every error the API answers with. Codes are public: add, never rename. */
const PROBLEMS = {
  invalid_json: [400, 'The body is not acceptable JSON'],
  invalid_request: [400, 'The request is not valid'],
  unauthorized: [401, 'A valid API key is required'],
  forbidden: [403, 'This key may not do that'],
  not_found: [404, 'Not found'],
  request_timeout: [408, 'The request took too long to arrive'],
  idempotency_conflict: [409, 'This idempotency key was used for another event'],
  name_taken: [409, 'This name is taken'],
  endpoint_limit_reached: [409, 'The customer has as many endpoints as it may have'],
  endpoint_changed: [409, 'The endpoint was changed at the same moment'],
  endpoint_inactive: [409, 'The endpoint takes no deliveries'],
  delivery_unfinished: [409, 'The delivery is not finished'],
  body_too_large: [413, 'The body is too large'],
  too_many_deliveries: [413, 'The batch would make too many deliveries'],
  unsupported_media_type: [415, 'The content type must be application/json'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'The headers are too large'],
  internal_error: [500, 'Something went wrong on our side'],
  overloaded: [503, 'Too much to do at once'],
  database_unavailable: [503, 'The database cannot be reached'],
  redis_unavailable: [503, 'Redis cannot be reached'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What is wrong with one part of the request. `pointer` is an RFC 6901 JSON pointer into the body or the query. */
export type Violation = { pointer: string; detail: string };

/** Thrown by handlers to answer with an error (RFC 9457). `detail` says what to do, and never repeats a secret. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly detail: string;
  readonly violations: readonly Violation[];

  constructor(code: ProblemCode, detail: string, options: ErrorOptions & { violations?: readonly Violation[] } = {}) {
    super(detail, options);
    this.code = code;
    this.detail = detail;
    this.violations = options.violations ?? [];
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }
}

export function notFound(thing: string): Problem {
  return new Problem('not_found', `There is no such ${thing}.`);
}

/** More are not told: a body of some MiB can have a million. */
export const MAX_VIOLATIONS = 100;

export function invalid(violations: readonly [Violation, ...Violation[]]): Problem {
  const { pointer, detail } = violations[0];
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  return new Problem('invalid_request', `${pointer === '' ? 'The request' : pointer} ${detail}${more}.`, {
    violations: violations.slice(0, MAX_VIOLATIONS),
  });
}

/** The body of an `application/problem+json` answer. `requestId` is the HTTP request's. */
export function problemBody(problem: Problem, requestId: string) {
  const [status, title] = PROBLEMS[problem.code];
  return {
    type: `urn:driftwire:problem:${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    request_id: requestId,
    ...(problem.violations.length > 0 ? { errors: problem.violations } : {}),
  };
}
