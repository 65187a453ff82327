const MAX_NAME_LENGTH = 128;
const MAX_VALUE_LENGTH = 4096;

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Printable latin-1: no CR, LF or NUL to split the request with, nothing a header cannot carry as it was given. */
const PRINTABLE_LATIN1 = /^[\x20-\x7e\xa0-\xff]*$/;

/** Framing, hop-by-hop and body headers belong to the connection; the rest are Driftwire's own words to the receiver. */
const RESERVED = new Set([
  'host',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  '__proto__', // a valid token, but not a name an object can safely hold
]);
const RESERVED_PREFIXES = ['webhook-', 'x-webhook-', 'x-signature'];

/** Why this header cannot be sent with a customer's webhooks, as a sentence; null if it can. */
export function customHeaderProblem(name: string, value: string): string | null {
  return nameProblem(name) ?? valueProblem(value);
}

function nameProblem(name: string): string | null {
  if (name.length > MAX_NAME_LENGTH) return `A header name must have at most ${MAX_NAME_LENGTH} characters.`;
  if (!TOKEN.test(name)) return 'A header name must be an RFC 9110 token: letters, digits and a few signs.';
  if (isReserved(name.toLowerCase())) return `The header ${name} is set by Driftwire or by HTTP itself.`;
  return null;
}

function isReserved(name: string): boolean {
  return RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function valueProblem(value: string): string | null {
  if (value.length > MAX_VALUE_LENGTH) return `A header value must have at most ${MAX_VALUE_LENGTH} characters.`;
  if (!PRINTABLE_LATIN1.test(value)) return 'A header value must be printable latin-1, without control characters.';
  if (value !== value.trim()) return 'A header value must not start or end with a space.';
  return null;
}
