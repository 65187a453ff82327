/** What a Postgres `text` refuses: NUL and lone surrogates. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/**
 * A receiver's bytes or an error's text as Postgres can store them: NUL, lone surrogates and invalid UTF-8 become
 * U+FFFD. With `maxBytes`, cut to that many bytes of UTF-8, never inside a character. Without this, a delivery that
 * succeeded could never be recorded.
 */
export function storableText(bytes: Buffer | string, maxBytes = Number.POSITIVE_INFINITY): string {
  const text = typeof bytes === 'string' ? bytes.slice(0, maxBytes) : decode(bytes, maxBytes);
  return cut(text.replace(UNSTORABLE, '\uFFFD'), maxBytes);
}

const KEEP_BOM = { ignoreBOM: true };
const wholeTexts = new TextDecoder('utf-8', KEEP_BOM);

/** Whoever reads a body stops at the limit, perhaps inside a character: that is a cut, not invalid UTF-8. */
function decode(bytes: Buffer, maxBytes: number): string {
  if (bytes.length < maxBytes) return wholeTexts.decode(bytes);
  // Of its own, because it keeps what it was cut off in the middle of.
  return new TextDecoder('utf-8', KEEP_BOM).decode(bytes.subarray(0, maxBytes), { stream: true });
}

function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (isContinuation(bytes[end])) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}
