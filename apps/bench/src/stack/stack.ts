import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CannotStart,
  ensureRedisServer,
  findFreePorts,
  initPostgres,
  postgresUrl,
  redisUrl,
} from '@driftwire/local-servers';
import { commandsOf } from './checkout.js';
import { type Exit, endKeeping, type Keeper, keep, type Program, whenReady } from './process-keeper.js';
import { apiProgram, type Place, postgresProgram, redisProgram, workerProgram } from './programs.js';

export type Stack = {
  apiUrls: string[];
  /** Where workers tell how they are. */
  workerUrls: string[];
  adminKey: string;
  databaseUrl: string;
  redisUrl: string;
  redisDir: string;
  postgres: Keeper;
  redis: Keeper;
  apis: Keeper[];
  workers: Keeper[];
  /** Everything that ended, whatever the cause. */
  exits: Exit[];
};

export type StackOptions = {
  root: string;
  directory: string;
  apis: number;
  workers: number;
  /** Of APIs and workers, beside what they cannot start without. */
  env: Record<string, string>;
  workerEnv?: Record<string, string>;
  /** Another program for workers than their own. */
  workerScript?: string;
  /** Node's own arguments for the API or worker of that name. */
  nodeArgs?: (name: string) => string[];
  /** How APIs and workers are ended: killed, unless what they do at their end is wanted. */
  endSignal?: 'SIGKILL' | 'SIGTERM';
  signal: AbortSignal;
  say: (line: string) => void;
};

const PASSWORD = 'driftwire';

/** Postgres, Redis, APIs and workers as processes of their own, kept running while `use` runs, gone afterwards. */
export async function withStack<T>(options: StackOptions, use: (stack: Stack) => Promise<T>): Promise<T> {
  const keepers: Keeper[] = [];
  try {
    return await use(await startStack(options, keepers));
  } finally {
    const [servers, apps] = [keepers.slice(0, 2), keepers.slice(2)];
    await Promise.all(apps.map((keeper) => endKeeping(keeper, options.endSignal ?? 'SIGKILL')));
    // An immediate shutdown: nothing in there is needed any more, but its shared memory is to be given back.
    await Promise.all(servers.map((keeper) => endKeeping(keeper, 'SIGQUIT')));
  }
}

async function startStack(options: StackOptions, keepers: Keeper[]): Promise<Stack> {
  const { signal, directory, say } = options;
  const [postgresPort = 0, redisPort = 0, ...ports] = await findFreePorts(2 + options.apis + options.workers);
  const wiring = {
    databaseUrl: postgresUrl({ port: postgresPort, password: PASSWORD }),
    redisUrl: redisUrl(redisPort),
  };
  const adminKey = randomBytes(24).toString('hex');
  const place = { ...makePlace(options, { ...wiring, adminKey }), commands: await commandsOf(options.root) };
  const exits: Exit[] = [];
  const start = (program: Program) => {
    const keeper = keep(program, (exit) => exits.push(exit));
    keepers.push(keeper);
    return keeper;
  };

  const binary = await ensureRedisServer({ say, signal });
  await initPostgres({ dataDir: join(directory, 'postgres'), password: PASSWORD, signal });
  signal.throwIfAborted();
  const postgres = start(postgresProgram(place, postgresPort));
  const redisDir = join(directory, 'redis');
  const redis = start(redisProgram(place, { binary, port: redisPort, dir: redisDir }));
  await Promise.all([postgres, redis].map((keeper) => whenReady(keeper, signal)));
  migrate(options.root, wiring.databaseUrl);
  const apis = ports.slice(0, options.apis).map((port, index) => start(apiProgram(place, index + 1, port)));
  const workers = ports.slice(options.apis).map((port, index) => start(workerProgram(place, index + 1, port)));
  await Promise.all([...apis, ...workers].map((keeper) => whenReady(keeper, signal)));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const [apiUrls, workerUrls] = [urls.slice(0, options.apis), urls.slice(options.apis)];
  return { ...wiring, redisDir, apiUrls, workerUrls, adminKey, postgres, redis, apis, workers, exits };
}

type Wiring = { databaseUrl: string; redisUrl: string; adminKey: string };

function makePlace(
  {
    root,
    directory,
    env,
    workerEnv = {},
    workerScript = 'apps/worker/dist/main.js',
    nodeArgs = () => [],
  }: StackOptions,
  wiring: Wiring,
): Omit<Place, 'commands'> {
  const logDir = join(directory, 'logs');
  mkdirSync(logDir, { recursive: true });
  return { root, directory, logDir, env: { ...appEnvironment(wiring), ...env }, workerEnv, workerScript, nodeArgs };
}

function appEnvironment({ databaseUrl, redisUrl: url, adminKey }: Wiring): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    DATABASE_URL: databaseUrl,
    REDIS_URL: url,
    ADMIN_API_KEY: adminKey,
    ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    ALLOW_PRIVATE_ENDPOINTS: 'true',
    RATE_LIMIT_PER_KEY: '0',
    LOG_LEVEL: 'info',
  };
}

function migrate(root: string, databaseUrl: string): void {
  const script = join(root, 'packages/database/dist/migrate-cli.js');
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl };
  const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  if (status !== 0) throw new CannotStart(stderr.trim());
}
