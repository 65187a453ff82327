import type { IncomingHttpHeaders } from 'node:http';
import { storableText } from '@driftwire/delivery';
import { KEPT_BYTES, type ReadBody } from './body-start.js';

const COMPRESSIONS = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'compress', 'x-compress']);
/** What a person cannot read: bytes that are no UTF-8, and control characters other than white space. */
const UNREADABLE = /(?![\t-\r])[\uFFFD\p{Cc}]/gu;
/** Text in an old encoding or with a stray byte in it is still worth reading. */
const BINARY_SHARE = 0.3;
const SHORTEST_BINARY_BYTES = 16;

/**
 * A body for a person to read. One that is compressed, although nobody asked for it, is named and not decompressed: a few
 * bytes may become gigabytes. So is a picture, or whatever else is no text. A header alone proves nothing: what reads
 * well is kept.
 */
export function recordedBody({ start, readBytes }: ReadBody, headers: IncomingHttpHeaders): string {
  const text = storableText(start, KEPT_BYTES);
  const unreadable = text.match(UNREADABLE)?.length ?? 0;
  if (unreadable === 0) return text;
  const compression = compressionOf(headers);
  if (compression !== null) return `[${compression}, ${readBytes} bytes read]`;
  const isBinary = start.length >= SHORTEST_BINARY_BYTES && unreadable >= text.length * BINARY_SHARE;
  return isBinary ? `[binary, ${readBytes} bytes read]` : text;
}

function compressionOf({ 'content-encoding': header = '' }: IncomingHttpHeaders): string | null {
  const encodings = header
    .toLowerCase()
    .split(',')
    .map((encoding) => encoding.trim());
  return encodings.findLast((encoding) => COMPRESSIONS.has(encoding)) ?? null;
}
