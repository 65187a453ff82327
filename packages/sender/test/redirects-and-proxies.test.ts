import { afterEach, expect, test } from '@jest/globals';
import { httpReceiver } from './receivers.js';
import { setup } from './setup-sender.js';

const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];

afterEach(() => {
  for (const name of PROXY_VARIABLES) delete process.env[name];
});

test.each([301, 302, 303, 307, 308])('a %i is not followed and is recorded as it is', async (status) => {
  const target = await setup(httpReceiver((_request, response) => response.end()));
  const locations = [target.receiver.url, 'http://10.0.0.1/', 'ftp://localhost/', '/same-host'];
  let requests = 0;
  const { send } = await setup(
    httpReceiver((_request, response) => {
      response.writeHead(status, { Location: locations[requests] }).end();
      requests += 1;
    }),
  );
  for (const location of locations) {
    const { outcome, response } = await send();
    expect(outcome).toEqual({ kind: 'response', status, retryAfterMs: null });
    expect(response?.headers.location).toBe(location);
  }
  expect(requests).toBe(locations.length);
  expect(target.receiver.accepted()).toBe(0);
});

test('proxy variables in the environment are not used', async () => {
  const proxy = await setup(httpReceiver((_request, response) => response.end()));
  for (const name of PROXY_VARIABLES) process.env[name] = `http://127.0.0.1:${proxy.receiver.port}`;
  const { receiver, send } = await setup(httpReceiver((_request, response) => response.end()));
  expect((await send()).outcome).toMatchObject({ status: 200 });
  expect(receiver.accepted()).toBe(1);
  expect(proxy.receiver.accepted()).toBe(0);
});
