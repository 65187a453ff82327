import { expect, test } from '@jest/globals';
import { writeReadyNotice } from './ready-notice.js';
import { readSettings } from './settings.js';

const environment = {
  DATABASE_URL: 'postgresql://driftwire:password@127.0.0.1:20001/postgres',
  REDIS_URL: 'redis://127.0.0.1:20002',
  ADMIN_API_KEY: 'dwp_key',
  ALLOW_PRIVATE_ENDPOINTS: 'true',
  RATE_LIMIT_PER_KEY: '0',
};

test('it says how long it took, where everything is, and with which key', () => {
  const notice = writeReadyNotice(
    { apiUrl: 'http://127.0.0.1:3000', settings: readSettings({}, '/'), environment },
    4_160,
  );
  expect(notice).toContain('Driftwire is ready in 4.2 s');
  for (const fact of ['http://127.0.0.1:3000/docs', 'redis-cli -p 20002', 'Admin key      dwp_key', '/.data']) {
    expect(notice).toContain(fact);
  }
  expect(notice).toContain('ALLOW_PRIVATE_ENDPOINTS=false');
});

test('secrets that came from the environment are not shown', () => {
  const secrets = { DATABASE_URL: 'postgresql://secret', REDIS_URL: 'redis://secret', ADMIN_API_KEY: 'secret' };
  const stack = {
    apiUrl: 'http://127.0.0.1:3000',
    settings: readSettings(secrets, '/'),
    environment: { ...environment, ...secrets },
  };
  const notice = writeReadyNotice(stack, 0);
  expect(notice).not.toContain('secret');
  expect(notice).toContain('Bearer $ADMIN_API_KEY');
});
