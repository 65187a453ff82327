import { expect, test } from '@jest/globals';
import { buildChildEnvironment } from './child-environment.js';

const wiring = {
  databaseUrl: 'postgresql://here',
  redisUrl: 'redis://here',
  adminApiKey: 'key',
  encryptionKeys: 'k1:…',
  host: '127.0.0.1',
  port: 3000,
};

test('development is open unless the environment closes it', () => {
  expect(buildChildEnvironment({}, wiring)).toMatchObject({ ALLOW_PRIVATE_ENDPOINTS: 'true', RATE_LIMIT_PER_KEY: '0' });
  const closed = { ALLOW_PRIVATE_ENDPOINTS: 'false', RATE_LIMIT_PER_KEY: '5' };
  expect(buildChildEnvironment(closed, wiring)).toMatchObject(closed);
});

test('the caller’s variables pass through, those of npm do not', () => {
  const environment = buildChildEnvironment(
    { LOG_LEVEL: 'debug', npm_config_x: 'y', INIT_CWD: '/', EMPTY: '' },
    wiring,
  );
  expect(environment).toMatchObject({ LOG_LEVEL: 'debug', DATABASE_URL: 'postgresql://here', PORT: '3000' });
  expect(Object.keys(environment)).not.toContain('npm_config_x');
  expect(Object.keys(environment)).not.toContain('INIT_CWD');
  expect(Object.keys(environment)).not.toContain('EMPTY');
});
