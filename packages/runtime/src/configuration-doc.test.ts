import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { apiEnvironment, readConfig, workerEnvironment } from './config.js';

const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
const schemas = { API: apiEnvironment, worker: workerEnvironment };

/** Every variable the table documents, with who reads it and its default. */
const rows = page.split('\n').flatMap((line) => {
  const [, names = '', fallback = '', who = ''] = line.split('|').map((cell) => cell.trim());
  const variables = [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name);
  const defaults = fallback.split(', ');
  return variables.map((name, index) => ({ name, who, fallback: variables.length > 1 ? defaults[index] : fallback }));
});

test('docs/configuration.md names every variable the apps read, and whether API or worker', () => {
  for (const [app, schema] of Object.entries(schemas)) {
    const documented = rows.filter(({ who }) => who.split(', ').includes(app)).map(({ name }) => name);
    const shared = app === 'worker' ? ['HOST'] : [];
    expect([...documented, ...shared].sort()).toEqual(Object.keys(schema.shape).sort());
  }
});

test('docs/configuration.md gives the defaults the code has', () => {
  const required = {
    DATABASE_URL: 'postgresql://h/d',
    REDIS_URL: 'redis://h',
    ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    ADMIN_API_KEY: 'a'.repeat(32),
  };
  for (const schema of Object.values(schemas)) {
    const reading = readConfig<Record<string, unknown>>(schema, required);
    if (!reading.ok) throw new Error(reading.problems.join());
    for (const [name, value] of Object.entries(reading.config)) {
      if (name in required) continue;
      const documented = rows.find((row) => row.name === name)?.fallback ?? '';
      expect(`${name} ${documented.replace(/ \(`npm start`.*/, '')}`).toBe(`${name} ${value}`);
    }
  }
});
