import type { RawQuery } from './direct-query.js';
import { idRange } from './id-range.js';

/**
 * A statement that skips locked rows answers for neither those nor deliveries that do not exist: of these ids, the ones that do.
 * Asked apart, because almost always there is nothing to ask.
 */
export async function existingOf(database: RawQuery, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { lowest, highest } = idRange(ids);
  const found = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM deliveries WHERE id = ANY (${ids}::uuid[]) AND id BETWEEN ${lowest}::uuid AND ${highest}::uuid`;
  return new Set(found.map(({ id }) => id));
}
