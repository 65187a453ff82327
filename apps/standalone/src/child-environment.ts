import type { Environment } from './settings.js';

export type Wiring = {
  databaseUrl: string;
  redisUrl: string;
  adminApiKey: string;
  encryptionKeys: string;
  host: string;
  port: number;
};

/** What `npm start` allows a developer, unless the environment says otherwise. Said on the screen. */
export const DEVELOPMENT_DEFAULTS = { ALLOW_PRIVATE_ENDPOINTS: 'true', RATE_LIMIT_PER_KEY: '0' } as const;

/** The environment of the API and the workers: the caller's, without what npm added to it, plus our wiring. */
export function buildChildEnvironment(env: Environment, wiring: Wiring): Record<string, string> {
  return {
    ...DEVELOPMENT_DEFAULTS,
    ...callersVariables(env),
    DATABASE_URL: wiring.databaseUrl,
    REDIS_URL: wiring.redisUrl,
    ADMIN_API_KEY: wiring.adminApiKey,
    ENCRYPTION_KEYS: wiring.encryptionKeys,
    HOST: wiring.host,
    PORT: `${wiring.port}`,
  };
}

/** Empty variables are left out, as everywhere: an empty one means "the default". */
function callersVariables(env: Environment): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value && !/^(npm_|INIT_CWD$)/.test(name)) kept[name] = value;
  return kept;
}
