import { expect, test } from '@jest/globals';
import { apiEnvironment, readConfig, workerEnvironment } from './config.js';

const valid = {
  DATABASE_URL: 'postgresql://u:p@127.0.0.1:5432/d',
  REDIS_URL: 'redis://127.0.0.1:6379',
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  ADMIN_API_KEY: 'a'.repeat(32),
};

function problemsOf(overrides: Record<string, string | undefined>): string[] {
  const reading = readConfig(apiEnvironment, { ...valid, ...overrides });
  return reading.ok ? [] : reading.problems;
}

test('the defaults are those of docs/configuration.md', () => {
  expect(readConfig(apiEnvironment, valid)).toMatchObject({
    ok: true,
    config: {
      PORT: 3000,
      HOST: '127.0.0.1',
      MAX_ATTEMPTS: 3,
      REQUEST_TIMEOUT_MS: 15_000,
      ALLOW_PRIVATE_ENDPOINTS: false,
    },
  });
  const { ADMIN_API_KEY: _, ...forWorker } = valid;
  expect(readConfig(workerEnvironment, forWorker)).toMatchObject({
    ok: true,
    config: { WORKER_PORT: 9464, RETRY_BASE_DELAY_MS: 120_000, WORKER_CONCURRENCY: 100, LOG_LEVEL: 'info' },
  });
});

test('all problems are reported at once, each with its variable', () => {
  const problems = problemsOf({ DATABASE_URL: undefined, PORT: 'http', MAX_ATTEMPTS: '0', LOG_LEVEL: 'loud' });
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    'DATABASE_URL',
    'LOG_LEVEL',
    'PORT',
    'MAX_ATTEMPTS',
  ]);
  expect(problems[2]).toBe('PORT: must be a whole number from 1 to 65535');
});

test('an empty variable is an unset one', () => {
  expect(problemsOf({ PORT: '' })).toEqual([]);
  expect(problemsOf({ REDIS_URL: '' })).toEqual(['REDIS_URL: is required, e.g. redis://host:6379']);
});

test.each(['1', 'yes', 'TRUE', ' true'])('a boolean is true or false, not %p', (text) => {
  expect(problemsOf({ ALLOW_PRIVATE_ENDPOINTS: text })).toEqual(['ALLOW_PRIVATE_ENDPOINTS: must be true or false']);
});

test.each(['-1', '1.5', '1e3', '0x10', '70000', '99999999999999999999'])(
  'a port is a whole number in range, not %p',
  (text) => {
    expect(problemsOf({ PORT: text })).toHaveLength(1);
  },
);

test('several encryption keys keep their order; a short, doubled or garbled one is refused without being repeated', () => {
  const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
  const reading = readConfig(apiEnvironment, { ...valid, ENCRYPTION_KEYS: `new:${key(2)},old:${key(1)}` });
  expect(reading.ok && reading.config.ENCRYPTION_KEYS.map(({ id }) => id)).toEqual(['new', 'old']);
  for (const bad of [`k1:${key(1).slice(4)}`, `k1:${key(1)},k1:${key(2)}`, key(1), 'k1:', `k1:${key(1)},`]) {
    const problems = problemsOf({ ENCRYPTION_KEYS: bad });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain(key(1).slice(4, 20));
  }
});

test('a key for the API must be long and visible', () => {
  expect(problemsOf({ ADMIN_API_KEY: 'short' })).toEqual([
    'ADMIN_API_KEY: must be at least 32 visible ASCII characters',
  ]);
  expect(problemsOf({ ADMIN_API_KEY: `${'a'.repeat(31)} ` })).toHaveLength(1);
});

test('address blocks are read as a list, and anything else is refused', () => {
  const read = (ENDPOINT_OPEN_BLOCKS: string) => readConfig(apiEnvironment, { ...valid, ENDPOINT_OPEN_BLOCKS });
  const reading = read('10.20.0.0/16, fd12::/16');
  const blocks = reading.ok ? reading.config.ENDPOINT_OPEN_BLOCKS : undefined;
  expect(blocks?.check('10.20.9.9')).toBe(true);
  expect(blocks?.check('10.21.0.0')).toBe(false);
  expect(blocks?.check('fd12::9', 'ipv6')).toBe(true);
  for (const wrong of [
    '10.20.0.0',
    '10.20.0.0/33',
    'fd12::/129',
    '10.20/16',
    'hooks.internal/24',
    '10.20.0.0/16;',
    ',',
  ]) {
    expect(problemsOf({ ENDPOINT_OPEN_BLOCKS: wrong })).toEqual([
      'ENDPOINT_OPEN_BLOCKS: must be address blocks like 10.20.0.0/16 or fd12:3456::/32, separated by commas',
    ]);
  }
});
