import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { httpReceiver, rawReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { until } from './until.js';

test('an aborted attempt counts as timed out, says so, and drops its connection', async () => {
  const { receiver, send } = await setup(rawReceiver(() => undefined));
  const lease = new AbortController();
  const sending = send({}, lease.signal);
  await until(() => receiver.open() === 1);
  lease.abort();
  expect((await sending).outcome).toEqual({
    kind: 'timeout',
    error: 'Timed out: the attempt was aborted before it was complete',
  });
  await until(() => receiver.open() === 0);
});

test('an attempt aborted in the body keeps its status', async () => {
  const lease = new AbortController();
  const { receiver, send } = await setup(
    rawReceiver((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart');
      setTimeout(() => lease.abort(), 30);
    }),
  );
  expect(await send({}, lease.signal)).toMatchObject({ outcome: { status: 200 }, response: { body: 'part' } });
  await until(() => receiver.open() === 0);
});

test('an attempt aborted before it starts connects to nobody', async () => {
  const { receiver, send } = await setup(httpReceiver((_request, response) => response.end()));
  expect((await send({}, AbortSignal.abort())).outcome.kind).toBe('timeout');
  expect(receiver.accepted()).toBe(0);
});

test('no listener stays on the signal', async () => {
  const { send } = await setup(httpReceiver((_request, response) => response.end()));
  const { signal } = new AbortController();
  await send({}, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
