import { z } from 'zod';
import {
  addressBlockList,
  encryptionKeys,
  flag,
  httpPort,
  portList,
  postgresUrl,
  wholeNumber,
} from './config-values.js';
import { redisUrl } from './redis-url.js';

/** What the API and the workers both need. Every variable is explained in docs/configuration.md. */
const shared = {
  DATABASE_URL: postgresUrl,
  REDIS_URL: redisUrl,
  ENCRYPTION_KEYS: encryptionKeys,
  REQUEST_TIMEOUT_MS: wholeNumber(100, 600_000).default(15_000),
  DELIVERIES_PER_JOB: wholeNumber(1, 100).default(16),
  ALLOW_PRIVATE_ENDPOINTS: flag.default(false),
  ENDPOINT_PORTS: portList.default([443, 8443]),
  ENDPOINT_OPEN_BLOCKS: addressBlockList.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
};

export const apiEnvironment = z.object({
  ...shared,
  PORT: httpPort.default(3000),
  HOST: z.string().default('127.0.0.1'),
  ADMIN_API_KEY: z
    .string({ error: 'is required: any string of at least 32 visible ASCII characters' })
    .regex(/^[\x21-\x7e]{32,}$/, 'must be at least 32 visible ASCII characters'),
  RATE_LIMIT_PER_KEY: wholeNumber(0, 1_000_000).default(200),
  DASHBOARD_READ_ONLY: flag.default(true),
  MAX_ATTEMPTS: wholeNumber(1, 9).default(3),
  MAX_ENDPOINTS_PER_CUSTOMER: wholeNumber(1, 10_000).default(50),
});
export type ApiConfig = z.infer<typeof apiEnvironment>;

export const workerEnvironment = z.object({
  ...shared,
  WORKER_PORT: httpPort.default(9464),
  HOST: z.string().default('127.0.0.1'),
  RETRY_BASE_DELAY_MS: wholeNumber(1, 86_400_000).default(120_000),
  WORKER_CONCURRENCY: wholeNumber(1, 10_000).default(100),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 3_600_000).default(25_000),
  RETENTION_DAYS: wholeNumber(0, 36_500).default(30),
  CIRCUIT_BREAKER: flag.default(true),
  CIRCUIT_AFTER_FAILURES: wholeNumber(4, 10_000).default(10),
  CIRCUIT_AFTER_MS: wholeNumber(0, 3_600_000).default(30_000),
  CIRCUIT_PROBE_MS: wholeNumber(100, 600_000).default(30_000),
  HOLD_MAX_HOURS: wholeNumber(1, 8_760).default(72),
  SABOTAGE: z
    .enum(['none', 'no-sweeper', 'no-fence'], { error: 'must be none, no-sweeper or no-fence' })
    .default('none'),
});
export type WorkerConfig = z.infer<typeof workerEnvironment>;

/** `npm run rotate-keys` */
export const rotationEnvironment = z.object({ DATABASE_URL: postgresUrl, ENCRYPTION_KEYS: encryptionKeys });

/** Where webhooks may go. */
export function addressPolicyOf(config: ApiConfig | WorkerConfig) {
  return {
    allowPrivate: config.ALLOW_PRIVATE_ENDPOINTS,
    ports: config.ENDPOINT_PORTS,
    opened: config.ENDPOINT_OPEN_BLOCKS,
  };
}

export type ConfigReading<T> = { ok: true; config: T } | { ok: false; problems: string[] };

/** Reads the environment once and reports every problem at once, one line each: `NAME: what is wrong`. */
export function readConfig<T>(schema: z.ZodType<T>, env: Record<string, string | undefined>): ConfigReading<T> {
  // An empty variable is an unset one: that is what an empty line in an .env file or a compose file means.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return { ok: true, config: result.data };
  return { ok: false, problems: result.error.issues.map(describe) };
}

function describe(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.')}: ${issue.message}`;
}
