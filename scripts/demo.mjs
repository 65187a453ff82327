// @ts-check
import { prepare } from './prepare.mjs';
import { listenForStop } from './stop-signals.mjs';

// `npm run demo`
if (await prepare(listenForStop())) await import('../apps/standalone/dist/demo.js');
