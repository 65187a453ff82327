import { parseHttpDate } from './http-date.js';

/** 2^31 seconds, the overflow value of RFC 9111 §1.2.2: nothing downstream has to fear a larger number. */
const MAX_SECONDS = 2 ** 31;

/**
 * The wait a `Retry-After` header (RFC 9110 §10.2.3) asks for, in milliseconds; null if the header is missing or is
 * neither whole seconds nor an HTTP-date. A date already past asks for no wait at all: 0.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text), MAX_SECONDS) * 1000;
  const atMs = parseHttpDate(text, nowMs);
  if (atMs === null) return null;
  return Math.min(Math.max(atMs - nowMs, 0), MAX_SECONDS * 1000);
}
