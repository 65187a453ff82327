import { resolve } from 'node:path';
import { ConfigurationProblem } from './configuration-problem.js';

/** What `npm start` itself needs to know; everything else in the environment is for the API and the workers to judge. */
export type Settings = {
  dataDir: string;
  host: string;
  port: number;
  databaseUrl: string | undefined;
  redisUrl: string | undefined;
  adminApiKey: string | undefined;
  encryptionKeys: string | undefined;
};

export type Environment = Record<string, string | undefined>;

/** An empty variable counts as unset, as an empty line in an .env file means. */
export function readSettings(env: Environment, root: string): Settings {
  return {
    dataDir: resolve(root, env.DATA_DIR || '.data'),
    host: env.HOST || '127.0.0.1',
    port: readPort(env.PORT || '3000'),
    databaseUrl: env.DATABASE_URL || undefined,
    redisUrl: env.REDIS_URL || undefined,
    adminApiKey: env.ADMIN_API_KEY || undefined,
    encryptionKeys: env.ENCRYPTION_KEYS || undefined,
  };
}

/** Where to find the API from this machine: a wildcard address can be listened on, not visited. */
export function visitUrl({ host, port }: Pick<Settings, 'host' | 'port'>): string {
  const visited = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${visited.includes(':') ? `[${visited}]` : visited}:${port}`;
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new ConfigurationProblem(`PORT: must be a whole number from 1 to 65535, not ${JSON.stringify(text)}`);
}
