import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a process and a server, so that a test can take the server away and give it back. */
export type TcpProxy = {
  url: string;
  cut: () => void;
  /** Keeps connections open, takes new ones, and passes no byte on, like a server that is frozen. */
  stall: () => void;
  /** The next answer on each connection that is open now is lost, and the connection with it. */
  loseAnswers: () => void;
  restore: () => Promise<void>;
  /** Leads new connections to another server; those that are open stay where they are. */
  leadTo: (targetUrl: string) => void;
};

export async function startProxy(targetUrl: string): Promise<TcpProxy> {
  let target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const pairs = new Map<Socket, Socket>();
  let isStalled = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    pairs.set(client, upstream);
    client.on('close', () => pairs.delete(client));
    upstream.on('close', () => client.destroy());
    if (!isStalled) client.pipe(upstream).pipe(client);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const port = await listen(0);
  const url = new URL(targetUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    leadTo: (otherUrl) => {
      target = new URL(otherUrl);
    },
    cut: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    stall: () => {
      isStalled = true;
      for (const [client, upstream] of pairs) {
        client.unpipe();
        upstream.unpipe();
      }
    },
    loseAnswers: () => {
      for (const [client, upstream] of pairs) {
        upstream.unpipe();
        upstream.resume().once('data', () => {
          client.destroy();
          upstream.destroy();
        });
      }
    },
    restore: async () => {
      if (isStalled) for (const [client, upstream] of pairs) client.pipe(upstream).pipe(client);
      isStalled = false;
      if (!server.listening) await listen(port);
    },
  };
}
