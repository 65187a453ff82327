import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type FreshDatabase, freshDatabase } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const CLI = fileURLToPath(new URL('../dist/find-orphans-cli.js', import.meta.url));

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

async function findOrphans(env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

test('what is wrong with the environment or the arguments is said', async () => {
  expect(await findOrphans({})).toMatchObject({ code: 78, output: expect.stringContaining('DATABASE_URL is not set') });
  const env = { DATABASE_URL: database.url };
  expect(await findOrphans(env, '--all')).toMatchObject({ code: 2, output: expect.stringContaining('--help') });
  expect(await findOrphans(env, '--days', '0')).toMatchObject({ code: 2, output: expect.stringContaining("not '0'") });
  expect(await findOrphans({}, '--help')).toMatchObject({ code: 0, output: expect.stringContaining('Exits 0') });
  const nowhere = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' };
  expect(await findOrphans(nowhere)).toMatchObject({ code: 1, output: expect.stringContaining('find-orphans failed') });
});

test('a database in order is 0; an orphan is 1, and named with its day', async () => {
  const env = { DATABASE_URL: database.url };
  const inOrder = await findOrphans(env);
  expect(inOrder).toMatchObject({
    code: 0,
    output: expect.stringMatching(/0 references of \d+ days looked at: no orphans\./),
  });
  const { rows } = await database.run(
    `INSERT INTO attempts (delivery_id, number, customer_id, round, started_at, outcome)
     VALUES (uuidv7_at(now()), 1, gen_random_uuid(), 1, now(), 'response')
     RETURNING delivery_id AS id, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day`,
  );
  const [{ id, day }] = rows;
  const found = await findOrphans(env, '--days', '2');
  expect(found.code).toBe(1);
  expect(found.output).toContain(`${day}: 1 of 1 attempts without their delivery: ${id}`);
  expect(found.output).toContain('1 references of 2 days looked at: 1 orphans.');
  expect(await findOrphans(env, '--days', '1')).toMatchObject({ code: 0 });
});
