import { expect, test } from '@jest/globals';
import { startReceivers } from './receivers.js';

test('a receiver is out until all of its outages are over, whatever is done to others', async () => {
  const receivers = await startReceivers({ seed: 7, killSender: () => {} });
  const ask = async (name: string) => {
    const { url = '' } = receivers.endpoints.find((endpoint) => endpoint.name === name) ?? {};
    return (await fetch(url, { method: 'POST', body: '{"n":1}' })).status;
  };
  const mendFirst = receivers.putOut('frail', { kind: 'answer', status: 500 });
  const mendSecond = receivers.putOut('frail', { kind: 'answer', status: 503 });
  expect([await ask('frail'), await ask('paced')]).toEqual([503, 200]);
  mendSecond();
  expect(await ask('frail')).toBe(500);
  mendFirst();
  expect(await ask('frail')).toBe(200);
  receivers.trouble({ kind: 'answer', status: 502 });
  expect([await ask('frail'), await ask('steady'), await ask('slow')]).toEqual([502, 200, 200]);
  await receivers.close();
});

test('a request is over when its answer leaves', async () => {
  const receivers = await startReceivers({ seed: 7, killSender: () => {} });
  const { url = '' } = receivers.endpoints.find(({ name }) => name === 'busy') ?? {};
  await fetch(url, { method: 'POST', body: '{"n":1}' });
  const heardAt = Date.now();
  const [request] = receivers.requests;
  expect(request?.arrivedSince).toBeLessThanOrEqual(request?.arrivedAt ?? 0);
  expect(request?.overAt).toBeGreaterThan(request?.arrivedAt ?? 0);
  expect(request?.overAt).toBeLessThanOrEqual(heardAt);
  await receivers.close();
});
