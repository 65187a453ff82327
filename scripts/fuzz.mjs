// @ts-check
import { prepare, ROOT } from './prepare.mjs';
import { listenForStop } from './stop-signals.mjs';

// `npm run fuzz`. As with `npm start`, one process from the first signal to the last child.
const stop = listenForStop();
if (await prepare(stop)) {
  const { main } = await import('../apps/bench/dist/fuzz/main.js');
  const { stdout, stderr, env } = process;
  process.exitCode = await main({ args: process.argv.slice(2), env, root: ROOT, stdout, stderr, stop });
  // Output that nobody reads must not keep a finished run from ending.
  setTimeout(() => process.exit(), 1_000).unref();
}
