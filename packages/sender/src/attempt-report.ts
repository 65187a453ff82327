import type { Outcome } from '@driftwire/delivery';
import type { Withheld } from './withheld.js';

/** Everything an attempt's record keeps, already bounded and storable: it can be written as it is. */
export type AttemptReport = {
  startedAt: Date;
  durationMs: number;
  phases: Phases;
  /** As sent, but without the values of custom headers. Leave the signatures out of whatever is stored. */
  requestHeaders: Record<string, string>;
  outcome: Outcome;
  response: RecordedResponse | null;
  /** One line in our words first, so nobody takes a receiver's text for ours. Null if there was a response. */
  error: string | null;
  /** Null for an attempt. Otherwise no request was made and nothing is to be recorded: the rest is for a person who asked for a test. */
  withheld: Withheld | null;
};

/**
 * Milliseconds. A phase is missing if the attempt never got there, or reused a connection. `stale_connection` is there if the
 * receiver had closed the connection that was reused, after so long: the request was sent again on a new one, and
 * the other phases are those of the second sending.
 */
export type Phases = {
  stale_connection?: number;
  dns?: number;
  tcp?: number;
  tls?: number;
  first_byte?: number;
  download?: number;
};

export type RecordedResponse = {
  status: number;
  headers: Record<string, string | string[]>;
  /** The first 4 KiB as text; of what is none, see `recordedBody`. */
  body: string;
};
