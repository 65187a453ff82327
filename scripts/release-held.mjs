// @ts-check
import { prepare, ROOT } from './prepare.mjs';
import { run } from './run.mjs';
import { listenForStop } from './stop-signals.mjs';

// `npm run release-held`: lets everything go that is held.
const stop = listenForStop();
if (await prepare(stop)) {
  const script = `${ROOT}/apps/worker/dist/release-held-cli.js`;
  const command = [process.execPath, script, ...process.argv.slice(2)];
  process.exitCode = (await run(command, { stop, show: true })).code;
}
