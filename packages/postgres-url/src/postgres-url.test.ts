import { expect, test } from '@jest/globals';
import { readPostgresUrl } from './postgres-url.js';

const SERVER = 'postgresql://user:pa%20ss@host:5432/driftwire';

test('a plain URL is what pg gets, and names no schema', () => {
  expect(readPostgresUrl(SERVER)).toEqual({
    ok: true,
    url: { connectionString: SERVER, schema: null, options: '' },
  });
});

test('where and how to connect is the URL’s to say', () => {
  const url = `${SERVER}?sslmode=require&connect_timeout=5`;
  expect(readPostgresUrl(url)).toMatchObject({ url: { connectionString: url } });
});

test.each(['options=-c%20jit%3Don', 'statement_timeout=1', 'application_name=x', 'client_encoding=latin1'])(
  'a session’s settings are not: %s does not reach pg',
  (parameter) => {
    expect(readPostgresUrl(`${SERVER}?${parameter}`)).toMatchObject({ url: { connectionString: SERVER } });
  },
);

test('the options of the URL are kept apart, decoded', () => {
  expect(readPostgresUrl(`${SERVER}?options=-c%20work_mem%3D64MB`)).toMatchObject({
    url: { options: '-c work_mem=64MB' },
  });
});

test('a schema is named as Prisma names it', () => {
  expect(readPostgresUrl(`${SERVER}?schema=dw`)).toMatchObject({ url: { schema: 'dw', connectionString: SERVER } });
});

test.each(['Dw', 'a-b', 'a b', "x';--", '', '1st', 'a'.repeat(64)])('a schema named %j is refused', (schema) => {
  expect(readPostgresUrl(`${SERVER}?schema=${encodeURIComponent(schema)}`)).toMatchObject({
    problem: expect.stringContaining('names a schema'),
  });
});

test.each(['-c%20search_path%3Ddw', '--search_path=dw', '-cSEARCH_PATH=dw'])(
  'a search_path in the options is refused, with the way to say it: %s',
  (options) => {
    expect(readPostgresUrl(`${SERVER}?options=${options}`)).toMatchObject({
      problem: expect.stringContaining('?schema='),
    });
  },
);

test.each(['', 'host:5432', 'mysql://host/db', 'http://host'])('%j is no DATABASE_URL', (text) => {
  expect(readPostgresUrl(text)).toMatchObject({ problem: expect.stringContaining('must be a URL like') });
});
