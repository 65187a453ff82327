import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart } from '@driftwire/local-servers';
import { readJsonFile, replaceFileForGood } from './atomic-file.js';

export type Secrets = { adminApiKey: string; encryptionKeys: string; postgresPassword: string };

/** Made once per data directory: without them its database can be neither opened nor decrypted. */
export function loadSecrets(dataDir: string): Secrets {
  const file = join(dataDir, 'secrets.json');
  const kept = readJsonFile(file);
  if (isSecrets(kept)) return kept;
  refuseToReplace(dataDir, file);
  const secrets = makeSecrets();
  replaceFileForGood(file, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function makeSecrets(): Secrets {
  return {
    adminApiKey: `dwp_${randomBytes(32).toString('base64url')}`,
    encryptionKeys: `k1:${randomBytes(32).toString('base64')}`,
    postgresPassword: randomBytes(24).toString('base64url'),
  };
}

function refuseToReplace(dataDir: string, file: string): void {
  if (!existsSync(file) && !existsSync(join(dataDir, 'postgres', 'PG_VERSION'))) return;
  throw new CannotStart(
    `${file}, which opens the database beside it, is missing or damaged: bring it back, or start with an empty DATA_DIR`,
  );
}

function isSecrets(value: unknown): value is Secrets {
  if (typeof value !== 'object' || value === null) return false;
  return ['adminApiKey', 'encryptionKeys', 'postgresPassword'].every(
    (name) => name in value && typeof Reflect.get(value, name) === 'string',
  );
}
