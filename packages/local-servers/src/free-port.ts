import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Different loopback ports nobody listens on, below the range from which Linux and macOS take the ports of outgoing
 * connections. One inside that range can be lost to any client while its server restarts, and a client that dials it
 * meanwhile may even connect to itself.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let draw = 0; draw < count + 100 && ports.size < count; draw++) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  if (ports.size < count) throw new Error(`found only ${ports.size} of ${count} free ports between 20000 and 32000`);
  return [...ports];
}

export async function findFreePort(): Promise<number> {
  const [port = 0] = await findFreePorts(1);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
