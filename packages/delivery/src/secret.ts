const PREFIX = 'whsec_';
const GENERATED_BYTES = 32;
const MIN_BYTES = 24;
const MAX_BYTES = 64;

export function generateSecret(randomBytes: (size: number) => Buffer): string {
  return PREFIX + randomBytes(GENERATED_BYTES).toString('base64');
}

/** `whsec_` and the canonical base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme"). */
export function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const key = decode(text);
  // Node decodes base64 leniently; encoding it again is what tells the one canonical spelling from the others.
  return key.length >= MIN_BYTES && key.length <= MAX_BYTES && PREFIX + key.toString('base64') === text;
}

/** The HMAC key inside a secret. Throws on anything else: an empty or garbled key would sign, and prove nothing. */
export function secretKey(secret: string): Buffer {
  if (!isSecret(secret)) throw new TypeError('not a webhook secret: expected whsec_ and the base64 of 24 to 64 bytes');
  return decode(secret);
}

function decode(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64');
}
