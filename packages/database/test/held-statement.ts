// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { until } from '@driftwire/testing';
import pg from 'pg';
import { connectDatabase, type PrismaClient } from '../src/index.js';
import type { Setup } from './setup.js';

/** `release` lets the statement go on from where it has stopped, and answers what it does. */
export type HeldStatement<T> = { release: () => Promise<T> };

/**
 * Starts a statement that stops after its snapshot was taken and before it reaches its first row, so that what the test does
 * then is seen by its locks and not by its snapshot. In its session `now()` and `max()` are functions of the test
 * that wait for a lock; the statement itself is the one that runs in production.
 */
export async function holdStatement<T>(
  at: Setup,
  run: (prisma: PrismaClient) => Promise<T>,
): Promise<HeldStatement<T>> {
  const gate = new pg.Client({ connectionString: at.url });
  await gate.connect();
  await gate.query(`SET lock_timeout = '5s'; ${GATED_FUNCTIONS}`);
  await gate.query('SELECT pg_advisory_lock(4711)');
  const session = connectDatabase({ url: at.url, applicationName: 'held', poolSize: 1, onConnectionLost: () => {} });
  await session.prisma.$executeRaw`SET search_path = gated, pg_catalog, public`;
  const answer = run(session.prisma).finally(session.close);
  answer.catch(() => {});
  await until(async () => (await at.waiting()) === 1);
  return {
    release: async () => {
      await gate.end();
      return answer;
    },
  };
}

const GATED_FUNCTIONS = `
  CREATE SCHEMA IF NOT EXISTS gated;
  CREATE OR REPLACE FUNCTION gated.wait() RETURNS VOID LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.pg_advisory_xact_lock_shared(4711)';
  CREATE OR REPLACE FUNCTION gated.now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
    AS 'BEGIN PERFORM gated.wait(); RETURN pg_catalog.now(); END';
  CREATE OR REPLACE FUNCTION gated.greater(a int, b int) RETURNS int LANGUAGE plpgsql VOLATILE
    AS 'BEGIN PERFORM gated.wait(); RETURN greatest(a, b); END';
  CREATE OR REPLACE AGGREGATE gated.max(int) (SFUNC = gated.greater, STYPE = int);`;
