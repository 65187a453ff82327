import { expect, test } from '@jest/globals';
import { readSettings, visitUrl } from './settings.js';

test('an empty variable is an unset one, and paths are relative to the project', () => {
  expect(readSettings({ PORT: '', DATA_DIR: '', DATABASE_URL: '' }, '/project')).toMatchObject({
    port: 3000,
    dataDir: '/project/.data',
    databaseUrl: undefined,
  });
  expect(readSettings({ DATA_DIR: 'elsewhere' }, '/project').dataDir).toBe('/project/elsewhere');
});

test.each(['0', '65536', '3000.5', '0x10', 'http'])('PORT=%s is refused', (port) => {
  expect(() => readSettings({ PORT: port }, '/')).toThrow(/^PORT: must be a whole number from 1 to 65535/);
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://[::1]:80'],
  ['api.example', 'http://api.example:80'],
])('an API that listens on %s is visited at %s', (host, url) => {
  expect(visitUrl({ host, port: 80 })).toBe(url);
});
