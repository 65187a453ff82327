import { join } from 'node:path';
import { API_YOUNG_MIB, postgresServes, redisServes } from '@driftwire/local-servers';
import type { Commands } from './checkout.js';
import type { Program } from './process-keeper.js';

/** `workerEnv` is the workers' own, beside what all have; `nodeArgs` are Node's, for the API or worker of that name. */
export type Place = {
  root: string;
  commands: Commands;
  directory: string;
  logDir: string;
  env: Record<string, string>;
  workerEnv: Record<string, string>;
  /** What workers run. */
  workerScript: string;
  nodeArgs: (name: string) => string[];
};

/** As an operator would run it: what is acknowledged is on disk. */
export function postgresProgram({ directory, logDir, commands }: Place, port: number): Program {
  const dataDir = join(directory, 'postgres');
  return {
    name: 'postgres',
    logDir,
    command: () => commands.postgresCommand({ dataDir, port, settings: { max_connections: '300' } }),
    isReady: (pid) => postgresServes({ dataDir, port, pid }),
  };
}

export function redisProgram(
  { logDir, commands }: Place,
  { binary, port, dir }: { binary: string; port: number; dir: string },
): Program {
  return {
    name: 'redis',
    logDir,
    command: () => commands.redisCommand({ binary, dir, port }),
    isReady: (pid) => redisServes({ port, pid }),
  };
}

export function apiProgram(place: Place, number: number, port: number): Program {
  const env = { PORT: `${port}` };
  return appProgram(place, {
    name: `api-${number}`,
    script: 'apps/api/dist/main.js',
    port,
    env,
    youngMiB: API_YOUNG_MIB,
  });
}

export function workerProgram(place: Place, number: number, port: number): Program {
  const env = { WORKER_PORT: `${port}`, ...place.workerEnv };
  return appProgram(place, { name: `worker-${number}`, script: place.workerScript, port, env });
}

type App = { name: string; script: string; port: number; env: Record<string, string>; youngMiB?: number };

function appProgram({ root, logDir, env, nodeArgs, commands }: Place, app: App): Program {
  return {
    name: app.name,
    logDir,
    command: () =>
      commands.nodeCommand({
        script: join(root, app.script),
        env: { ...env, ...app.env },
        ...(app.youngMiB && { youngMiB: app.youngMiB }),
        nodeArgs: nodeArgs(app.name),
        cwd: root,
      }),
    isReady: () => answers(`http://127.0.0.1:${app.port}/healthz`),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
