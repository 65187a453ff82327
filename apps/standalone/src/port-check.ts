import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { CannotStart } from '@driftwire/local-servers';

/** Says that a port is taken before anything is started, rather than letting the API die of it again and again. */
export async function refuseTakenPort({ host, port }: { host: string; port: number }): Promise<void> {
  const problem = await tryToListen(host, port);
  if (problem === undefined) return;
  if (problem === 'EADDRINUSE') {
    throw new CannotStart(
      `Port ${port} is taken${describeHolder(port)}: stop that, or use another with "PORT=${port + 1} npm start"`,
    );
  }
  throw new CannotStart(`Cannot listen on ${host} port ${port} (${problem}): choose another HOST or PORT`);
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Who has it, where lsof is there to ask. */
function describeHolder(port: number): string {
  const { stdout } = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' });
  const [, pid, name] = /^p(\d+)\nc(.+)$/m.exec(stdout ?? '') ?? [];
  return pid ? ` by ${name} (pid ${pid})` : '';
}
