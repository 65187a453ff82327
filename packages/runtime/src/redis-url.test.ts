import { expect, test } from '@jest/globals';
import { redisUrl } from './redis-url.js';

test.each([
  'redis://127.0.0.1:6379',
  'redis://redis.internal',
  'redis://redis.internal:6380/',
  'redis://redis.internal/15',
  'rediss://redis.internal:6380/0',
  'redis://:p%40ss%25@redis.internal',
  'redis://driftwire:p%3Aw%2Frd%231%3F1&%C3%A9@redis.internal:6379/2',
  'redis://nopass@redis.internal',
  'redis://[::1]:6379/1',
  'redis://redis.internal?family=6',
  'redis://redis.internal?db=2',
])('%s is taken as it is', (text) => {
  expect(redisUrl.parse(text)).toBe(text);
});

test.each([
  ['REDISS://redis.internal:6380', 'rediss://redis.internal:6380'],
  [' rediss://redis.internal:6380\n', 'rediss://redis.internal:6380'],
])('%j means TLS, and is passed on so that the client sees it, too', (text, passedOn) => {
  expect(redisUrl.parse(text)).toBe(passedOn);
});

const URL_LIKE = 'must be a URL like redis://host:6379 or rediss://user:password@host:6379/1';
const DATABASE = 'must have nothing or the number of a database after the host, like redis://host:6379/1';
const PERCENT = 'must have every % in user and password written as %25';
const HOST = 'must name a host, like redis://host:6379';

test.each([
  ['127.0.0.1:6379', URL_LIKE],
  ['http://redis.internal', URL_LIKE],
  ['redis://redis.internal:99999', URL_LIKE],
  ['redis://:pa#ss@redis.internal', URL_LIKE],
  ['redis://', HOST],
  ['redis:///1', HOST],
  ['redis:redis.internal', HOST],
  ['redis://redis.internal:0', 'must not name port 0'],
  ['redis://redis.internal:6379/driftwire', DATABASE],
  ['redis://redis.internal:6379/1/', DATABASE],
  ['redis://redis.internal:6379/-1', DATABASE],
  ['redis://redis.internal:6379/1.5', DATABASE],
  ['redis://redis.internal/0x1', DATABASE],
  ['redis://redis.internal/999999', DATABASE],
  ['redis://:%zz@redis.internal', PERCENT],
  ['redis://us%er:pw@redis.internal', PERCENT],
  ['redis://:%FF@redis.internal', PERCENT],
  ['redis://redis.internal/1#2', 'must not have a #: in a password it is written %23'],
])('%s is refused', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test.each([
  'tls=true',
  'commandTimeout=1',
  'keyPrefix=a',
  'path=/tmp/redis.sock',
  'password=secret',
  'family=5',
  'db=one',
])('a client setting is no parameter of the URL: %s', (parameter) => {
  const name = parameter.split('=')[0];
  expect(problemsOf(`redis://redis.internal?${parameter}`)).toEqual([
    `must not have the parameter "${name}" with this value: only family (0, 4 or 6) and db (a number) are`,
  ]);
});

test('no problem repeats a password', () => {
  for (const text of ['redis://:s3cret%zz@h', 'redis://:s3cret@h/x', 'redis://:s3cret@', 'http://:s3cret@h']) {
    expect(problemsOf(text).join()).not.toContain('s3cret');
  }
});

function problemsOf(text: string): string[] {
  return redisUrl.safeParse(text).error?.issues.map(({ message }) => message) ?? [];
}
