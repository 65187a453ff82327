// @ts-check
import { prepare, ROOT } from './prepare.mjs';
import { run } from './run.mjs';
import { listenForStop } from './stop-signals.mjs';

// `npm run migrate`: the release step, on the database that DATABASE_URL names.
const stop = listenForStop();
if (await prepare(stop)) {
  const script = `${ROOT}/packages/database/dist/migrate-cli.js`;
  process.exitCode = (await run([process.execPath, script], { stop, show: true })).code;
}
