import { connectDatabase, type Database } from '@driftwire/database';

/** A connection to look into a running stack's database, or to change it behind the stack's back. */
export function openDatabase({ database }: { database: { url: string } }): Database {
  return connectDatabase({ url: database.url, applicationName: 'test', poolSize: 8, onConnectionLost: () => {} });
}
