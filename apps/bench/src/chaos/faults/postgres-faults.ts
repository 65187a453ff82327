import { APPLICATION_NAME, withSession } from '../../stack/database-session.js';
import { strike, whenReady } from '../../stack/process-keeper.js';
import type { Inject } from './arena.js';
import { victim } from './victim.js';

/** A random half of the sessions of APIs and workers, idle or in the middle of a statement. */
const terminate: Inject = ({ arena, chance, struck }) =>
  withSession(arena.stack.databaseUrl, async ({ query }) => {
    const sessions = await query<{ pid: number }>(`
      SELECT pid FROM pg_stat_activity
      WHERE application_name LIKE 'driftwire-%' AND application_name <> '${APPLICATION_NAME}' ORDER BY pid`);
    const chosen = sessions.map(({ pid }) => pid).filter(() => chance() < 0.5);
    struck();
    await query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS chosen(pid)', [chosen]);
  });

/** Immediate shutdown, as after a crash: replays its log when it starts. Over when it serves again. */
const restart: Inject = async ({ arena, struck, signal }) => {
  strike(victim([arena.stack.postgres], 0), 'SIGQUIT', 'kill');
  struck();
  await whenReady(arena.stack.postgres, signal);
};

export const POSTGRES_FAULTS = { 'postgres-terminate': terminate, 'postgres-restart': restart };
