import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** `key` is 32 bytes; `id` says in a ciphertext which key of the ring opens it. */
export type EncryptionKey = { id: string; key: Buffer };

/** Whose secret this is. Part of the authenticated data, so a ciphertext moved to another row cannot be opened. */
export type SealBinding = { customerId: string; endpointId: string; purpose: 'secret' | 'headers' };

export type Sealer = {
  seal: (text: string, binding: SealBinding) => string;
  /** Throws `UnsealError` when the key is unknown or the ciphertext is not the one sealed for this binding. */
  open: (sealed: string, binding: SealBinding) => string;
  /** Of the key that seals. */
  currentKeyId: string;
  /** Of all keys that open. */
  keyIds: readonly string[];
};

export class UnsealError extends Error {
  override name = 'UnsealError';
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) for what must not be readable in the database. Seals with the first key, opens with
 * any. The text is `<key id>:<base64 of iv, tag, ciphertext>`.
 */
export function createSealer(keys: readonly [EncryptionKey, ...EncryptionKey[]]): Sealer {
  const current = keys[0];
  const byId = new Map(keys.map(({ id, key }) => [id, key]));

  return {
    currentKeyId: current.id,
    keyIds: [...byId.keys()],
    seal(text, binding) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv).setAAD(aad(binding));
      const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return `${current.id}:${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64')}`;
    },
    open(sealed, binding) {
      const separator = sealed.indexOf(':');
      const key = byId.get(sealed.slice(0, separator));
      if (key === undefined) throw new UnsealError('sealed with a key that is not in ENCRYPTION_KEYS');
      return decrypt(Buffer.from(sealed.slice(separator + 1), 'base64'), key, binding);
    },
  };
}

function decrypt(bytes: Buffer, key: Buffer, binding: SealBinding): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(aad(binding)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new UnsealError('the ciphertext is damaged or was sealed for something else', { cause });
  }
}

function aad({ customerId, endpointId, purpose }: SealBinding): Buffer {
  return Buffer.from(`${customerId}/${endpointId}/${purpose}`);
}
