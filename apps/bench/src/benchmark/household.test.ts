import { expect, test } from '@jest/globals';
import { type HouseholdKind, kindOf } from './household.js';

test.each<[string, HouseholdKind]>([
  ['driftwire-api', 'api'],
  ['driftwire-worker', 'worker'],
  ['/opt/postgresql/bin/postgres -D /data/postgres -p 5432', 'postgres'],
  ['postgres: driftwire postgres 127.0.0.1(41552) idle', 'postgres'],
  ['redis-server 127.0.0.1:6379', 'redis'],
  ['/usr/bin/redis-server /data/redis.conf', 'redis'],
  ['npm start', 'supervisor'],
  ['node scripts/start.mjs', 'supervisor'],
])('%s is counted as %s', (title, kind) => {
  expect(kindOf(title)).toBe(kind);
});
