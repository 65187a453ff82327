import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

export type Receiver = {
  port: number;
  url: string;
  /** Connections ever accepted, and those open now. */
  accepted: () => number;
  open: () => number;
  close: () => Promise<void>;
};

/** A receiver that says exactly the bytes it is told to, HTTP or not, once it has heard the whole request. */
export function rawReceiver(answer: (socket: net.Socket) => void): Promise<Receiver> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    const heard: Buffer[] = [];
    socket.on('data', (chunk) => {
      heard.push(chunk);
      if (Buffer.concat(heard).includes('\r\n\r\n{}')) answer(socket);
    });
  });
  return listen(server, 'http');
}

export function httpReceiver(answer: http.RequestListener): Promise<Receiver> {
  return listen(http.createServer(answer), 'http');
}

/** `certificate` names a file in fixtures. */
export function httpsReceiver(certificate: string, answer: http.RequestListener): Promise<Receiver> {
  return listen(https.createServer({ key: fixture('server.key'), cert: fixture(certificate) }, answer), 'https');
}

export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}.pem`, import.meta.url), 'utf8');
}

async function listen(server: net.Server, scheme: 'http' | 'https'): Promise<Receiver> {
  const sockets = new Set<net.Socket>();
  let accepted = 0;
  server.on('connection', (socket: net.Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  return {
    port,
    url: `${scheme}://localhost:${port}/hook`,
    accepted: () => accepted,
    open: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
