import { BlockList, isIP } from 'node:net';
import { readPostgresUrl } from '@driftwire/postgres-url';
import { z } from 'zod';

/** `true` or `false`, nothing else. */
export const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');

export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

export const httpPort = wholeNumber(1, 65_535);

/** `443,8443` */
export const portList = z
  .string()
  .regex(/^\d{1,5}(,\d{1,5})*$/, 'must be port numbers separated by commas')
  .transform((text) => text.split(',').map(Number))
  .refine((ports) => ports.every((port) => port >= 1 && port <= 65_535), 'must be port numbers from 1 to 65535');

/** `10.20.0.0/16,fd12:3456::/32` */
export const addressBlockList = z.string().transform((text, context): BlockList => {
  const blocks = new BlockList();
  for (const cidr of text.split(',')) {
    const [, network = '', prefix] = /^([^/]+)\/(\d{1,3})$/.exec(cidr.trim()) ?? [];
    const family = isIP(network);
    if (family === 0 || Number(prefix) > (family === 6 ? 128 : 32)) {
      context.addIssue('must be address blocks like 10.20.0.0/16 or fd12:3456::/32, separated by commas');
      return z.NEVER;
    }
    blocks.addSubnet(network, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
  }
  return blocks;
});

export const postgresUrl = z
  .string({ error: 'is required, e.g. postgresql://user:password@host:5432/driftwire' })
  .superRefine((text, context) => {
    const reading = readPostgresUrl(text);
    if (!reading.ok) context.addIssue(reading.problem);
  });

const KEY_BYTES = 32;

/** `id:base64(32 bytes)`, comma-separated; the first is current. The value is a secret, so no message repeats it. */
export const encryptionKeys = z
  .string({ error: 'is required: id:base64(32 bytes), e.g. "k1:$(openssl rand -base64 32)"' })
  .transform((text, context): [EncryptionKey, ...EncryptionKey[]] => {
    const keys = text.split(',').map(parseKey);
    const [first, ...rest] = keys.filter((key) => key !== null);
    const ids = new Set(keys.map((key) => key?.id));
    if (first !== undefined && rest.length + 1 === keys.length && ids.size === keys.length) return [first, ...rest];
    context.addIssue('must be id:base64(32 bytes), comma-separated, each id once, the current key first');
    return z.NEVER;
  });

type EncryptionKey = { id: string; key: Buffer };

function parseKey(text: string): EncryptionKey | null {
  const [, id, encoded] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  if (id === undefined || encoded === undefined) return null;
  const key = Buffer.from(encoded, 'base64');
  return key.length === KEY_BYTES ? { id, key } : null;
}
