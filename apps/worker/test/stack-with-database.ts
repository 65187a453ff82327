import type { Database } from '@driftwire/database';
import { type Stack, startStack } from '@driftwire/testing';
import { afterAll, beforeAll } from '@jest/globals';
import { openDatabase } from './open-database.js';

/** For a file whose tests run what a worker runs, themselves: a stack without workers, and its database. */
export function useStackWithDatabase(): { stack: () => Stack; database: () => Database } {
  let stack: Stack;
  let database: Database;
  beforeAll(async () => {
    stack = await startStack({ workers: 0 });
    database = openDatabase(stack);
  });
  afterAll(async () => {
    await database.close();
    await stack.close();
  });
  return { stack: () => stack, database: () => database };
}
