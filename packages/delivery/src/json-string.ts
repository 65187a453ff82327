const QUOTE = 34;
const BACKSLASH = 92;

/** The offset behind the closing quote of the JSON string that opens at `start`; the text's length if it never closes. */
export function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    at += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}

/** What a JSON string, quotes included, stands for; null if its escapes are invalid. */
export function decodeString(raw: string): string | null {
  if (!raw.includes('\\')) return raw.slice(1, -1);
  try {
    return String(JSON.parse(raw));
  } catch {
    return null;
  }
}
