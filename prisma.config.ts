import { defineConfig } from 'prisma/config';

// The connection URL is not here: migrations and queries both go through the driver adapter in packages/database.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
