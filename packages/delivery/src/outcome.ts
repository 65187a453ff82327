/** What came back from an attempt, as data: a receiver's 500 is no exception. */
export type Outcome =
  | { kind: 'response'; status: number; retryAfterMs: number | null }
  | { kind: Exclude<OutcomeKind, 'response'>; error: string };

export type OutcomeKind =
  | 'response'
  | 'timeout'
  | 'dns'
  | 'refused'
  | 'reset'
  | 'tls'
  | 'protocol'
  | 'blocked'
  | 'unknown';

export function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === 'response' && outcome.status >= 200 && outcome.status <= 299;
}
