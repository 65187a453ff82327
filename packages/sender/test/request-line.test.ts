import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { httpReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { aWebhookRequest } from './webhook-requests.js';

test('path and query go out as they stand in the URL, and Host says where to', async () => {
  const heard: IncomingMessage[] = [];
  const { receiver, send } = await setup(
    httpReceiver((request, response) => {
      heard.push(request);
      response.end();
    }),
  );
  await send({ url: `http://localhost:${receiver.port}/a%20b/?c=%2F&d` });
  await send({ url: `http://localhost:${receiver.port}` });
  expect(heard.map(({ url }) => url)).toEqual(['/a%20b/?c=%2F&d', '/']);
  expect(heard.map(({ headers }) => headers.host)).toEqual(Array(2).fill(`localhost:${receiver.port}`));
});

test('each header goes out once', async () => {
  const names: string[] = [];
  const { send } = await setup(
    httpReceiver(({ rawHeaders }, response) => {
      names.push(...rawHeaders.filter((_text, index) => index % 2 === 0).map((name) => name.toLowerCase()));
      response.end();
    }),
  );
  await send({ customHeaders: { 'X-Team': 'claims', Accept: 'application/json' } });
  expect(names).toEqual([...new Set(names)]);
  expect(names).toEqual(
    expect.arrayContaining(['host', 'accept', 'x-team', 'user-agent', 'content-length', 'connection']),
  );
  expect(names).not.toContain('transfer-encoding');
});

test('the characters of latin-1 in a custom header go out as one byte each', async () => {
  const heard: (string | undefined)[] = [];
  const { send } = await setup(
    httpReceiver(({ headers }, response) => {
      heard.push(`${headers['x-team']}`);
      response.end();
    }),
  );
  await send({ customHeaders: { 'X-Team': 'Größe' }, body: Buffer.from('{"note":"Żółć"}') });
  expect(heard).toEqual(['Größe']);
});

test.each([
  ['ASCII', Buffer.from('{"a":1}')],
  ['other characters', Buffer.from('{"payer":"Żółć 🦆"}')],
  ['a byte order mark', Buffer.from('\ufeff{}')],
  ['what is no UTF-8', Buffer.from([0x7b, 0xff, 0xc3, 0x7d])],
  ['nothing', Buffer.alloc(0)],
  ['4 KiB', Buffer.alloc(4 * 1024, 'ż')],
  ['256 KiB', Buffer.alloc(256 * 1024, 'ż')],
])('a body of %s goes out byte for byte', async (_what, body) => {
  const heard: Buffer[] = [];
  const { send } = await setup(
    httpReceiver((request, response) => {
      request.on('data', (chunk: Buffer) => heard.push(chunk));
      request.on('end', () => response.end(request.headers['content-length']));
    }),
  );
  const { response } = await send({ body });
  expect(Buffer.concat(heard).equals(body)).toBe(true);
  expect(response?.body).toBe(`${body.length}`);
});

test('an IPv6 literal is connected to without its brackets, and named in Host with them', async () => {
  const { sender } = await setup(httpReceiver((_request, response) => response.end()));
  const hosts: (string | undefined)[] = [];
  const server = http.createServer(({ headers }, response) => {
    hosts.push(headers.host);
    response.end();
  });
  server.listen(0, '::1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const report = await sender.send(aWebhookRequest({ url: `http://[::1]:${port}/hook` }));
  server.closeAllConnections();
  server.close();
  expect(report.outcome).toMatchObject({ kind: 'response', status: 200 });
  expect(hosts).toEqual([`[::1]:${port}`]);
});
