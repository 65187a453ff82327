// @ts-check
import { readFile } from 'node:fs/promises';
import { openSchemaEngine, schemaPath } from '../dist/schema-engine.js';

// Prints the SQL that would turn the migrated database named on the command line into schema.prisma, and exits 2 if
// there is any, 0 if there is none. A process of its own: the engine's lock timer would keep jest alive for ten seconds.

const { engine } = await openSchemaEngine(process.argv[2] ?? '');
const files = [{ path: 'schema.prisma', content: await readFile(schemaPath, 'utf8') }];
const { exitCode, stdout } = await engine.diff({
  from: { tag: 'schemaDatasource', files, configDir: '/' },
  to: { tag: 'schemaDatamodel', files },
  script: true,
  exitCode: true,
  filters: { externalTables: [], externalEnums: [] },
});
process.stdout.write(stdout ?? '', () => process.exit(exitCode));
