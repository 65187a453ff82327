import { rm } from 'node:fs/promises';

type Started = { dir: string; servers: { stop: () => Promise<void> }[] };

let started: Started | undefined;

/** Setup and teardown run in one process and share nothing else. */
export function keepForTeardown(servers: Started): void {
  started = servers;
}

export default async function stopServers(): Promise<void> {
  for (const server of started?.servers ?? []) await server.stop();
  if (started) await rm(started.dir, { recursive: true, force: true });
}
