import {
  type NodeProgram,
  nodeCommand,
  postgresCommand,
  postgresServes,
  redisCommand,
  redisServes,
} from '@driftwire/local-servers';
import type { ChildPlan } from './child-plan.js';

export function planPostgres({ dataDir, port }: { dataDir: string; port: number }): ChildPlan {
  return {
    name: 'postgres',
    command: () => postgresCommand({ dataDir, port }),
    findObstacle: async (pid) =>
      (await postgresServes({ dataDir, port, pid })) ? undefined : `it does not accept sessions on port ${port}`,
    // A fast shutdown: SIGTERM would wait for the last client to leave.
    stopSignal: 'SIGINT',
    graceMs: 10_000,
  };
}

export function planRedis(redis: { binary: string; dir: string; port: number }): ChildPlan {
  const { port } = redis;
  return {
    name: 'redis',
    command: () => redisCommand(redis),
    findObstacle: async (pid) =>
      (await redisServes({ port, pid })) ? undefined : `it does not answer on port ${port}`,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
  };
}

/** The API or a worker: ready when its own /readyz says so. */
export function planApp(app: NodeProgram & { name: string; url: string }): ChildPlan {
  return {
    name: app.name,
    command: () => nodeCommand(app),
    findObstacle: () => askReadiness(`${app.url}/readyz`),
    stopSignal: 'SIGTERM',
    graceMs: 30_000,
  };
}

async function askReadiness(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000), redirect: 'manual' });
    const body = await response.text();
    return response.status === 200 ? undefined : `GET ${url} answers ${response.status} ${body.slice(0, 200)}`;
  } catch {
    return `GET ${url} is not answered`;
  }
}
