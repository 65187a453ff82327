// @boundaries-ignore a dependency would be a cycle: the test tools start processes that need this package
import { freshDatabase } from '@driftwire/testing';
import { afterAll, expect, test } from '@jest/globals';
import {
  connectDatabase,
  type Database,
  isPostgresAway,
  isUniqueViolation,
  Prisma,
  wasNeverSent,
} from '../src/index.js';

const { url, drop } = await freshDatabase();
const open: Database[] = [];

function connect(databaseUrl = url): Database {
  const database = connectDatabase({
    url: databaseUrl,
    applicationName: 'test',
    poolSize: 2,
    onConnectionLost: () => {},
  });
  open.push(database);
  return database;
}

afterAll(async () => {
  await Promise.all(open.map(({ close }) => close()));
  await drop();
});

test('rows are what the client would answer, with statements put into statements', async () => {
  const { direct, prisma } = connect();
  const id = '01a219b6-d7e2-70cd-b403-0b9320b97000';
  const names = Prisma.sql`(VALUES (1, 'a'), (2, NULL)) AS rows(number, name)`;
  const [fromDirect, fromClient] = await Promise.all(
    [direct, prisma].map(
      (query) => query.$queryRaw`
        /* prepared: a_test */
        SELECT number, name, ${id}::uuid AS id, ${true}::bool AS yes, ${0.5}::float8 AS half, ${null}::text AS none
        FROM ${names} ORDER BY number`,
    ),
  );
  expect(fromDirect).toEqual([
    { number: 1, name: 'a', id, yes: true, half: 0.5, none: null },
    { number: 2, name: null, id, yes: true, half: 0.5, none: null },
  ]);
  expect(fromClient).toEqual(fromDirect);
});

test('what Postgres refuses is known by its constraint', async () => {
  const { direct } = connect();
  const id = '01a219b6-d7e2-70cd-b403-0b9320b97001';
  const twice = direct.$queryRaw`INSERT INTO customers (id, name) VALUES (${id}::uuid, 'a'), (${id}::uuid, 'b')`;
  const error = await twice.catch((refused: unknown) => refused);
  expect([isUniqueViolation(error, 'customers_pkey'), isPostgresAway(error)]).toEqual([true, false]);
  expect(`${error}`).toMatch(
    /UniqueConstraintViolation: duplicate key value violates unique constraint "customers_pkey"/,
  );
});

test('a server that is read-only, has gone or was never there is away', async () => {
  const { direct, prisma } = connect();
  const { direct: demoted } = connect(`${url}?options=-c%20default_transaction_read_only%3Don`);
  const readOnly = await demoted.$queryRaw`INSERT INTO customers (name) VALUES ('a')`.catch((e: unknown) => e);
  expect([isPostgresAway(readOnly), wasNeverSent(readOnly)]).toEqual([true, true]);

  const cut = direct.$queryRaw`SELECT pg_sleep(60) /* cut me */`.catch((lost: unknown) => lost);
  const sessions = () =>
    prisma.$queryRaw<unknown[]>`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%/* cut me%' AND pid <> pg_backend_pid()`;
  let found: unknown[] = [];
  while (found.length === 0) found = await sessions();
  const lost = await cut;
  expect([isPostgresAway(lost), wasNeverSent(lost)]).toEqual([true, false]);

  const nobody = await connect('postgresql://a:b@127.0.0.1:1/c').direct.$queryRaw`SELECT 1`.catch((e: unknown) => e);
  expect([isPostgresAway(nobody), wasNeverSent(nobody)]).toEqual([true, true]);
});
