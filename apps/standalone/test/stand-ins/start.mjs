// `npm start` with the stand-ins, as a process of its own that a test can kill.
import { join } from 'node:path';
import { createScreen, main } from '../../dist/main.js';

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const directory = import.meta.dirname;
const app = join(directory, 'app.mjs');
process.exitCode = await main({
  args: process.argv.slice(2),
  env: process.env,
  root: directory,
  programs: { api: app, worker: app, migrate: join(directory, 'migrate.mjs') },
  screen: createScreen(process.stdout, process.stderr),
  stop: stop.signal,
});
