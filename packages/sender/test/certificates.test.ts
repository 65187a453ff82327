import { expect, test } from '@jest/globals';
import { fixture, httpReceiver, httpsReceiver } from './receivers.js';
import { setup } from './setup-sender.js';

const trusting = { certificateAuthority: fixture('ca') };

test('a valid certificate is accepted and the connection used again', async () => {
  const { receiver, send } = await setup(
    httpsReceiver('valid', (_request, response) => response.end()),
    trusting,
  );
  const first = await send();
  expect(first.outcome).toMatchObject({ status: 200 });
  expect(first.phases.tls).toBeGreaterThanOrEqual(0);
  expect((await send()).phases.tls).toBeUndefined();
  expect(receiver.accepted()).toBe(1);
});

test.each(['self-signed', 'expired', 'wrong-host'])(
  'no request is sent past a certificate that is %s',
  async (which) => {
    let requests = 0;
    const { send } = await setup(
      httpsReceiver(which, (_request, response) => {
        requests += 1;
        response.end();
      }),
      trusting,
    );
    const report = await send();
    expect(report.outcome.kind).toBe('tls');
    expect(report.error).toMatch(/^TLS failed: /);
    expect(requests).toBe(0);
  },
);

test("a certificate of an authority that is not in Node's list is refused", async () => {
  const { send } = await setup(httpsReceiver('valid', (_request, response) => response.end()));
  expect((await send()).outcome.kind).toBe('tls');
});

test('https to a receiver that speaks http is a failed attempt', async () => {
  const { receiver, send } = await setup(httpReceiver((_request, response) => response.end()));
  expect((await send({ url: receiver.url.replace('http:', 'https:') })).outcome.kind).toBe('tls');
});
