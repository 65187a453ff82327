import {
  API_YOUNG_MIB,
  CannotStart,
  ensureRedisServer,
  findFreePorts,
  initPostgres,
  nodeCommand,
  postgresUrl,
  redisUrl,
} from '@driftwire/local-servers';
import { buildChildEnvironment } from './child-environment.js';
import { checkConfiguration } from './configuration-check.js';
import type { DataDir } from './data-dir.js';
import { runOneOff } from './one-off.js';
import { refuseTakenPort } from './port-check.js';
import { loadSecrets, type Secrets } from './secrets.js';
import { type Settings, visitUrl } from './settings.js';
import type { StackOptions } from './stack.js';
import { planApp, planPostgres, planRedis } from './stack-plans.js';
import { timeStep } from './step-time.js';
import type { Supervisor } from './supervisor.js';

/** What runs, and where to reach it. */
export type Stack = { apiUrl: string; settings: Settings; environment: Environment };

type Environment = Record<string, string>;
type Site = StackOptions & { dataDir: DataDir; supervisor: Supervisor; over: AbortSignal };
type Ports = { postgres: number; redis: number; workers: number[] };

/** Everything that can be refused is refused before the first server starts. */
export async function bringUpStack(site: Site): Promise<Stack> {
  const { settings, programs, over } = site;
  const ports = await choosePorts(site);
  const secrets = loadSecrets(settings.dataDir);
  const environment = wire(site, secrets, ports);
  await checkConfiguration([programs.api, programs.worker], environment, over);
  await refuseTakenPort(settings);
  await startServers(site, secrets, ports);
  await migrate(site, environment);
  await startApps(site, environment, ports);
  return { apiUrl: visitUrl(settings), settings, environment };
}

async function choosePorts({ workers }: Site): Promise<Ports> {
  const [postgres = 0, redis = 0, ...rest] = await findFreePorts(2 + workers);
  return { postgres, redis, workers: rest };
}

function wire({ settings, env }: Site, secrets: Secrets, ports: Ports): Environment {
  return buildChildEnvironment(env, {
    databaseUrl: settings.databaseUrl ?? postgresUrl({ port: ports.postgres, password: secrets.postgresPassword }),
    redisUrl: settings.redisUrl ?? redisUrl(ports.redis),
    adminApiKey: settings.adminApiKey ?? secrets.adminApiKey,
    encryptionKeys: settings.encryptionKeys ?? secrets.encryptionKeys,
    host: settings.host,
    port: settings.port,
  });
}

/** Each only where the environment names no server to use instead. Postgres first: the last to be stopped. */
async function startServers(site: Site, secrets: Secrets, ports: Ports): Promise<void> {
  const { settings, screen, supervisor, over, dataDir } = site;
  const binary = settings.redisUrl
    ? ''
    : await ensureRedisServer({ say: screen.say, signal: over, path: site.env.PATH ?? '' });
  const starts: Promise<void>[] = [];
  if (!settings.databaseUrl) {
    const dir = dataDir.postgresDir;
    await initPostgres({ dataDir: dir, password: secrets.postgresPassword, signal: over });
    const plan = planPostgres({ dataDir: dir, port: ports.postgres });
    starts.push(timeStep(screen, `Postgres on port ${ports.postgres}`, supervisor.start([plan], over)));
  }
  if (!settings.redisUrl) {
    const plan = planRedis({ binary, dir: dataDir.redisDir, port: ports.redis });
    starts.push(timeStep(screen, `Redis on port ${ports.redis}`, supervisor.start([plan], over)));
  }
  await Promise.all(starts);
}

async function migrate({ programs, screen, over }: Site, environment: Environment): Promise<void> {
  const migration = runOneOff(nodeCommand({ script: programs.migrate, env: environment }), over);
  await timeStep(screen, 'Migrations applied', migration);
  const { code, reason, lines } = await migration;
  if (code !== 0) throw new CannotStart([...lines, `The migrations failed (${reason})`].join('\n'));
}

/** The workers before the API, so that the API is the first to be stopped. */
async function startApps(site: Site, environment: Environment, ports: Ports): Promise<void> {
  const { settings, programs, supervisor, screen, over } = site;
  const workers = ports.workers.map((port, index) =>
    planApp({
      name: `worker-${index + 1}`,
      script: programs.worker,
      env: { ...environment, WORKER_PORT: `${port}` },
      url: visitUrl({ host: settings.host, port }),
    }),
  );
  const api = planApp({
    name: 'api',
    script: programs.api,
    env: environment,
    youngMiB: API_YOUNG_MIB,
    url: visitUrl(settings),
  });
  await Promise.all([
    timeStep(screen, workers.length === 1 ? 'Worker' : `${workers.length} workers`, supervisor.start(workers, over)),
    timeStep(screen, 'API', supervisor.start([api], over)),
  ]);
}
