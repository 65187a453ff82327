import { Prisma, type PrismaClient } from './generated/client.js';
import { type SealBinding, type Sealer, UnsealError } from './seal.js';

/** What a batch came to. `lastId` is where the next one goes on; null when nothing is left. */
export type Resealed = { resealed: number; unreadable: string[]; lastId: string | null };

type Sealed = { secretSealed: string; previousSecretSealed: string | null; headersSealed: string | null };
type StaleEndpoint = Sealed & { id: string; customerId: string };

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Endpoints with a value that another key than the current one has sealed. */
export async function countStale(prisma: PrismaClient, { currentKeyId }: Sealer): Promise<number> {
  const [row] = await prisma.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM endpoints WHERE ${isStale(currentKeyId)}`;
  return row?.count ?? 0;
}

/**
 * Seals the next `limit` endpoints after `afterId` with the current key. What is in them stays the same, and so does their
 * version. A row that changes meanwhile is left as it is, and found by a later pass; one that cannot be opened is left and
 * named.
 */
export async function resealEndpoints(
  prisma: PrismaClient,
  sealer: Sealer,
  { afterId, limit }: { afterId: string | null; limit: number },
): Promise<Resealed> {
  const stale = await prisma.$queryRaw<StaleEndpoint[]>`
    SELECT id, customer_id AS "customerId", secret_sealed AS "secretSealed",
      previous_secret_sealed AS "previousSecretSealed", headers_sealed AS "headersSealed"
    FROM endpoints WHERE id > ${afterId ?? BEFORE_ALL}::uuid AND ${isStale(sealer.currentKeyId)}
    ORDER BY id LIMIT ${limit}::int`;
  const changes = stale.map((before) => ({ id: before.id, before, after: reseal(sealer, before) }));
  const readable = changes.filter(({ after }) => after !== null);
  const resealed = await prisma.$executeRaw`
    UPDATE endpoints SET
      secret_sealed = after->>'secretSealed', previous_secret_sealed = after->>'previousSecretSealed',
      headers_sealed = after->>'headersSealed'
    FROM jsonb_to_recordset(${JSON.stringify(readable)}::jsonb) AS change(id uuid, before jsonb, after jsonb)
    WHERE endpoints.id = change.id AND secret_sealed = before->>'secretSealed'
      AND previous_secret_sealed IS NOT DISTINCT FROM before->>'previousSecretSealed'
      AND headers_sealed IS NOT DISTINCT FROM before->>'headersSealed'`;
  const unreadable = changes.flatMap(({ id, after }) => (after === null ? [id] : []));
  return { resealed, unreadable, lastId: stale.at(-1)?.id ?? null };
}

/** A sealed text begins with its key's id (`seal.ts`). */
function isStale(keyId: string): Prisma.Sql {
  return Prisma.sql`deleted_at IS NULL AND EXISTS (
    SELECT FROM unnest(ARRAY[secret_sealed, previous_secret_sealed, headers_sealed]) AS sealed
    WHERE split_part(sealed, ':', 1) <> ${keyId})`;
}

/** Null when one of them cannot be opened. */
function reseal(sealer: Sealer, { id, customerId, ...sealed }: StaleEndpoint): Sealed | null {
  const again = (text: string, purpose: SealBinding['purpose']) => {
    const binding = { customerId, endpointId: id, purpose };
    return sealer.seal(sealer.open(text, binding), binding);
  };
  const { secretSealed, previousSecretSealed, headersSealed } = sealed;
  try {
    return {
      secretSealed: again(secretSealed, 'secret'),
      previousSecretSealed: previousSecretSealed && again(previousSecretSealed, 'secret'),
      headersSealed: headersSealed && again(headersSealed, 'headers'),
    };
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}
