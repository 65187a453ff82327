import { expect, test } from '@jest/globals';
import { httpReceiver, rawReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { until } from './until.js';

test('an attempt gets no more time than is left to it, says so, and drops its connection', async () => {
  const { receiver, send } = await setup(rawReceiver(() => undefined));
  expect((await send({}, 200)).outcome).toEqual({ kind: 'timeout', error: 'Timed out: no response within 200 ms' });
  await until(() => receiver.open() === 0);
});

test('nor more than its own timeout', async () => {
  const { send } = await setup(
    rawReceiver(() => undefined),
    { timeoutMs: 200 },
  );
  expect((await send({}, 60_000)).outcome).toMatchObject({ error: 'Timed out: no response within 200 ms' });
});

test('an attempt whose time is over in the body keeps its status', async () => {
  const { receiver, send } = await setup(
    rawReceiver((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')),
  );
  expect(await send({}, 200)).toMatchObject({ outcome: { status: 200 }, response: { body: 'part' } });
  await until(() => receiver.open() === 0);
});

test.each([0, -1])('an attempt with %i ms left connects to nobody', async (withinMs) => {
  const { receiver, send } = await setup(httpReceiver((_request, response) => response.end()));
  expect(await send({}, withinMs)).toMatchObject({
    outcome: { kind: 'timeout', error: 'Timed out: its time was over before it began' },
    withheld: 'late',
  });
  expect(receiver.accepted()).toBe(0);
});
