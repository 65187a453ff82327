import {
  isDriverAdapterError,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import { Prisma } from './generated/client.js';

/** `$queryRaw` as far as a hot statement needs it: `prisma` is one, too. */
export type RawQuery = {
  $queryRaw: <Rows>(query: TemplateStringsArray, ...values: unknown[]) => Promise<Rows>;
};

const ANY = { scalarType: 'unknown', arity: 'scalar' } as const;

/**
 * Runs a statement through Prisma's driver adapter, and so over the same pool and with the same errors, but past its client and
 * engine, which cost as much as the driver below them. For statements whose rows hold what JSON can say: numbers, texts and
 * booleans come as they are, everything else as Postgres writes it.
 */
export function directQuery(factory: SqlDriverAdapterFactory): RawQuery {
  let adapter: Promise<SqlDriverAdapter> | undefined;

  async function $queryRaw<Rows>(template: TemplateStringsArray, ...values: unknown[]): Promise<Rows>;
  async function $queryRaw(template: TemplateStringsArray, ...values: unknown[]): Promise<unknown> {
    adapter ??= factory.connect();
    const { text, values: args } = Prisma.sql(template, ...values);
    const query = { sql: text, args, argTypes: args.map(() => ANY) };
    const { columnNames, rows } = await (await adapter).queryRaw(query).catch(throwExplained);
    return rows.map((row) => toObject(columnNames, row));
  }

  return { $queryRaw };
}

/** The adapter's message is a kind of error; what Postgres said is in its account of it, which no log shows. */
function throwExplained(error: unknown): never {
  if (error instanceof Error && isDriverAdapterError(error) && error.cause.originalMessage !== undefined)
    error.message = `${error.cause.kind}: ${error.cause.originalMessage}`;
  throw error;
}

function toObject(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let index = 0; index < names.length; index += 1) object[names[index] as string] = values[index];
  return object;
}
