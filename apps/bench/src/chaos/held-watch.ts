import { setTimeout as pause } from 'node:timers/promises';
import { type Session, withSession } from '../stack/database-session.js';

/** What was seen of deliveries that are held: which, and how many at once at most. */
export type HeldSeen = { ids: Set<string>; mostAtOnce: number };

const LOOK_EVERY_MS = 500;

/** Looks now and then until the signal says stop: once a delivery has ended, nothing tells that it was held. */
export async function watchHeld(databaseUrl: string, seen: HeldSeen, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const ids = await withSession(databaseUrl, readHeld).catch(() => []);
    for (const id of ids) seen.ids.add(id);
    seen.mostAtOnce = Math.max(seen.mostAtOnce, ids.length);
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

async function readHeld({ query }: Session): Promise<string[]> {
  const rows = await query<{ id: string }>('SELECT id FROM deliveries WHERE hold_reason IS NOT NULL');
  return rows.map(({ id }) => id);
}
