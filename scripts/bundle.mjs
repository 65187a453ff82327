// @ts-check
import { renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { prismaInBundles } from './prisma-in-bundles.mjs';

// The build of a program: `node ../../scripts/bundle.mjs main …`, in its workspace. Why: docs/adr/0008-programs-as-bundles.md.

/** Found in node_modules when somebody opens their pages: they look for files of their own beside them. */
const PAGES = ['@bull-board/*', '@fastify/swagger', '@fastify/swagger-ui'];
/** Not installed: pg asks whether it is. */
const OPTIONAL = ['pg-native'];
/** CommonJS packages expect these. */
const COMMONJS = `import { createRequire as bundledRequire } from 'node:module';
const require = bundledRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** Node has it from 21 on. Without it pg finds out whether it runs on Cloudflare by loading all of fetch, a tenth of a start. */
const NAVIGATOR = "globalThis.navigator ??= { userAgent: 'Node.js' };";

/** Written aside: a build that is stopped half way leaves the one before. */
const STAGING = 'dist.new';
const entries = process.argv.slice(2);

rmSync(STAGING, { recursive: true, force: true });
await build({
  entryPoints: entries.map((entry) => `src/${entry}.ts`),
  outdir: STAGING,
  bundle: true,
  // What is imported when it is needed is a file of its own, which is not read before.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: [...PAGES, ...OPTIONAL],
  plugins: [prismaInBundles],
  banner: { js: `${COMMONJS}\n${NAVIGATOR}` },
  // Node reads and compiles every byte at each start; names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
});
rmSync('dist', { recursive: true, force: true });
renameSync(STAGING, 'dist');
