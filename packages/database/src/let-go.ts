import { Prisma } from './generated/client.js';

/**
 * What becomes of a held delivery that is let go, as part of an UPDATE: the next generation, because the job that found no room for it has this
 * one. `locked` has its row as it was locked. What a person had put on hold has not waited in vain until now.
 */
export function letGo(locked: 'placed' | 'chosen' | 'timed'): Prisma.Sql {
  const row = Prisma.raw(locked);
  return Prisma.sql`
    hold_reason = NULL, generation = ${row}.generation + 1,
    held_since = CASE WHEN ${row}.hold_reason <> 'on_hold' THEN ${row}.held_since END`;
}
