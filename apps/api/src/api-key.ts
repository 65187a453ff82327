import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** `dw_<id>_<secret>`: the id finds the row, the secret (256 random bits) is stored hashed only. */
export function generateApiKey(id: string): { key: string; secretHash: Uint8Array<ArrayBuffer> } {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const secretHash = new Uint8Array(createHash('sha256').update(secret).digest());
  return { key: `dw_${id.replaceAll('-', '')}_${secret}`, secretHash };
}

/** The halves of a key, or null when the text is not one. Says nothing about whether it is a known key. */
export function parseApiKey(key: string): { id: string; secret: string } | null {
  const [, hex, secret] = /^dw_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/.exec(key) ?? [];
  if (hex === undefined || secret === undefined) return null;
  return { id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'), secret };
}
