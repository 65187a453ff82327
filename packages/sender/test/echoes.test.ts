import { expect, test } from '@jest/globals';
import { httpReceiver } from './receivers.js';
import { setup } from './setup-sender.js';

const [OLD, NEW] = [1, 2];
const KEY = 'Bearer of-the-receiver-0123456789';

test('what a receiver sends back of a custom header is not recorded, in a header or in the body', async () => {
  const { send } = await setup(
    httpReceiver((request, response) => {
      response.setHeader('X-Echo', [`${request.headers['x-key']}`, 'other']);
      response.setHeader('X-One', `got ${request.headers['x-key']}`);
      response.end(JSON.stringify(request.headers));
    }),
  );
  const { response } = await send({ customHeaders: { 'X-Key': KEY, 'X-Short': 'a' } });
  expect(JSON.stringify(response)).not.toContain(KEY);
  expect(response?.headers).toMatchObject({ 'x-one': 'got [redacted]' });
  expect(JSON.parse(response?.body ?? '')).toMatchObject({ 'x-key': '[redacted]', 'x-short': 'a' });
});

test('nor the token alone of a header that has a scheme before it', async () => {
  const [, token = ''] = KEY.split(' ');
  const { send } = await setup(httpReceiver((_request, response) => response.end(JSON.stringify({ token }))));
  const { response } = await send({ customHeaders: { 'X-Key': KEY } });
  expect(response?.body).toBe('{"token":"[redacted]"}');
});

test.each([1, 10, KEY.length - 1])(
  'nor a part of it that the end of what is kept has cut off: %i characters',
  async (cut) => {
    const padding = 'p'.repeat(4 * 1024 - (KEY.length - cut));
    const { send } = await setup(httpReceiver((_request, response) => response.end(`${padding}${KEY} and more`)));
    const { response } = await send({ customHeaders: { 'X-Key': KEY } });
    expect(response?.body).not.toContain(KEY.slice(0, 6));
  },
);

test('nor a signature, with which the webhook could be sent once more', async () => {
  const signatures: string[] = [];
  const { send } = await setup(
    httpReceiver((request, response) => {
      for (const name of ['x-signature', 'x-signature-previous', 'webhook-signature']) {
        signatures.push(`${request.headers[name]}`);
      }
      // Each of two signatures alone as well.
      response.end(`${JSON.stringify(request.headers)} ${signatures.at(-1)?.split(' ').join('\n')}`);
    }),
  );
  const secrets = [OLD, NEW].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`) as [string, string];
  const { response } = await send({ secrets });
  expect(new Set(signatures).size).toBe(3);
  for (const signature of signatures.flatMap((each) => each.split(' ')))
    expect(response?.body).not.toContain(signature);
});
