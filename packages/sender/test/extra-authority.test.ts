import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { httpsReceiver } from './receivers.js';
import { setup } from './setup-sender.js';
import { aWebhookRequest } from './webhook-requests.js';

const CA = fileURLToPath(new URL('fixtures/ca.pem', import.meta.url));
const SENDER = new URL('../dist/index.js', import.meta.url).href;

/** A process of its own: Node reads these variables when it starts. */
const SEND = `
const { createSender } = await import(process.env.SENDER);
const { body, ...request } = JSON.parse(process.env.REQUEST);
const sender = createSender({ version: '0', addressPolicy: { allowPrivate: true, ports: [] }, timeoutMs: 5000 });
const { outcome } = await sender.send({ ...request, body: Buffer.from('{}') });
sender.close();
console.log(outcome.kind);
`;

test.each([
  ['NODE_EXTRA_CA_CERTS', CA, 'response'],
  ['NODE_TLS_REJECT_UNAUTHORIZED', '0', 'tls'],
])('with %s=%s a receiver with a certificate of a private authority is: %s', async (name, value, kind) => {
  const { receiver } = await setup(httpsReceiver('valid', (_request, response) => response.end()));
  const env = { [name]: value, SENDER, REQUEST: JSON.stringify(aWebhookRequest({ url: receiver.url })) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SEND], { env });
  expect(stdout.trim()).toBe(kind);
});
