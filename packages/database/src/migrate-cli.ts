import { describePostgresError } from './migration-failure.js';
import { applyMigrations } from './migrations.js';
import { DatabaseUrlProblem } from './session.js';

const EX_CONFIG = 78;

/** `npm run migrate`: the release step. Exits 78 (EX_CONFIG) without a usable DATABASE_URL, 1 when a migration failed. */
async function main(): Promise<number> {
  const url = process.env.DATABASE_URL;
  if (url === undefined || url === '') {
    console.error(
      'DATABASE_URL is not set: name the Postgres to migrate, e.g. postgres://user:password@host:5432/driftwire',
    );
    return EX_CONFIG;
  }
  try {
    const { applied, takenBack } = await applyMigrations(url, {
      onBuilding: (index) => console.log(`Building ${index}, while others write.`),
    });
    if (takenBack.length > 0) console.log(`Begun before and not finished, so begun again: ${takenBack.join(', ')}.`);
    console.log(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`);
    return 0;
  } catch (error) {
    if (error instanceof DatabaseUrlProblem) {
      console.error(error.message);
      return EX_CONFIG;
    }
    console.error(`Migrating failed: ${describePostgresError(error)}`);
    return 1;
  }
}

// Not left to the event loop: the engine keeps a lock timer of ten seconds after its work is done.
process.exit(await main());
