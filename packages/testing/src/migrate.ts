import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MIGRATE = fileURLToPath(new URL('../../database/dist/migrate-cli.js', import.meta.url));

/** As in a release. In this process it would keep jest alive for the ten seconds of the engine's lock timer. */
export async function migrate(databaseUrl: string): Promise<void> {
  await promisify(execFile)(process.execPath, [MIGRATE], { env: { DATABASE_URL: databaseUrl } });
}
