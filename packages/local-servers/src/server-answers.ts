import { connect } from 'node:net';
import { isPostmasterReady } from './postmaster-pid.js';

/**
 * Readiness by the servers' own word and without a client library. An open port proves nothing: both listen while they
 * still replay their logs, and it may be another server's, so the process must be the one that was started.
 */
export async function redisServes({ port, pid }: { port: number; pid: number }): Promise<boolean> {
  const answer = await firstAnswer(port, Buffer.from('INFO server\r\n'));
  return answer.includes(`\r\nprocess_id:${pid}\r\n`);
}

export async function postgresServes({ dataDir, port, pid }: PostgresProcess): Promise<boolean> {
  return isPostmasterReady(dataDir, pid) && (await postgresAnswers(port));
}

export type PostgresProcess = { dataDir: string; port: number; pid: number };

export async function redisAnswers(port: number): Promise<boolean> {
  return (await firstAnswer(port, Buffer.from('PING\r\n'))).startsWith('+PONG');
}

/** As `pg_isready` does: a server that accepts sessions asks for authentication ("R"), any other sends an error. */
export async function postgresAnswers(port: number): Promise<boolean> {
  return (await firstAnswer(port, startupMessage('driftwire'))).startsWith('R');
}

/** Protocol 3.0: length, version, then NUL-terminated names and values, closed by one more NUL. */
function startupMessage(user: string): Buffer {
  const parameters = Buffer.from(`user\0${user}\0database\0postgres\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + parameters.length, 0);
  head.writeInt32BE(3 << 16, 4);
  return Buffer.concat([head, parameters]);
}

/** What comes back first, or '' if nothing does within a second. */
function firstAnswer(port: number, request: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => settle(''));
    socket.once('error', () => settle(''));
    socket.once('close', () => settle(''));
    socket.once('data', (answer) => settle(answer.toString('latin1')));
    socket.write(request);
  });
}
