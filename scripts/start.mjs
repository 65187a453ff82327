// @ts-check
import { prepare, ROOT } from './prepare.mjs';
import { listenForStop } from './stop-signals.mjs';

// `npm start`. Bootstrap and supervisor are one process, so that a signal to npm has one place to arrive at.
const stop = listenForStop();
if (await prepare(stop)) {
  const { createScreen, main } = await import('../apps/standalone/dist/main.js');
  const screen = createScreen(process.stdout, process.stderr);
  process.exitCode = await main({ args: process.argv.slice(2), env: process.env, root: ROOT, screen, stop });
  // Output that nobody reads must not keep a stopped stack from ending.
  setTimeout(() => process.exit(), 1_000).unref();
}
