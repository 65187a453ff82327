import { type Outcome, storableText } from '@driftwire/delivery';
import { BLOCKED } from './guarded-lookup.js';
import { UNASKED } from './shared-lookup.js';

/** An outcome without a response. */
export type Failure = Exclude<Outcome, { kind: 'response' }>;

const MAX_ERROR_BYTES = 500;

const SAYS: Record<Failure['kind'], string> = {
  timeout: 'Timed out',
  dns: 'Name resolution failed',
  refused: 'Connection refused or host unreachable',
  reset: 'Connection lost',
  tls: 'TLS failed',
  protocol: 'No valid HTTP exchange',
  blocked: 'Address not allowed',
  unknown: 'Request failed',
};

/** The error is one line that starts with our words: the rest may quote a receiver, for example its certificate. */
export function failure(kind: Failure['kind'], detail: string): Failure {
  const line = detail.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return { kind, error: storableText(`${SAYS[kind]}: ${line}`, MAX_ERROR_BYTES) };
}

/** Whether it is not known what the name would have resolved to, because nobody asked. */
export function isUnasked(error: unknown): boolean {
  return codeOf(error) === UNASKED;
}

export function failureOf(error: unknown): Failure {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  // When every address of a name fails, Node's AggregateError has a code but no message.
  return failure(kindOfCode(code), message || code);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/**
 * The one place that knows the codes of Node, libuv, llhttp, OpenSSL and got. The first rule that matches counts. What no
 * rule knows is `protocol` and never `unknown`: that word is kept for attempts whose outcome nobody lived to record.
 */
export function kindOfCode(code: string): Failure['kind'] {
  return RULES.find(([, pattern]) => pattern.test(code))?.[0] ?? 'protocol';
}

const RULES: readonly (readonly [Failure['kind'], RegExp])[] = [
  ['blocked', new RegExp(`^${BLOCKED}$`)],
  ['dns', new RegExp(`^${UNASKED}$`)],
  ['dns', /^(?:ENOTFOUND|ENODATA|E?SERVFAIL|EREFUSED|ETIMEOUT|EBADNAME|EAI_\w+)$/],
  // No route to the host is the network's way of refusing.
  ['refused', /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/],
  ['reset', /^(?:ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/],
  ['timeout', /^(?:ETIMEDOUT|ESOCKETTIMEDOUT)$/],
  ['protocol', /^HPE_\w+$/],
  ['tls', /^(?:EPROTO|ERR_(?:SSL|TLS|OSSL)_\w+)$/],
  // The names of X509_V_ERR_*, from node:internal X509ErrorCode.
  ['tls', /^(?:CERT|CRL|UNABLE_TO|ERROR_IN|DEPTH_ZERO|SELF_SIGNED)_\w+$/],
  ['tls', /^(?:INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/],
];
