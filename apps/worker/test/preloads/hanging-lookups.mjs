import dns from 'node:dns';
import { open } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

// A name server that answers for every name but those that end in `.hangs.test`: as in the system's resolver, each question
// holds one of the process's threads, here until somebody writes to the pipe at HANGING_UNTIL.
const lookup = dns.lookup;
dns.lookup = (host, options, callback) => {
  if (!host.endsWith('.hangs.test')) return lookup(host, options, callback);
  process.stdout.write(`lookup.begun ${host}\n`);
  open(process.env.HANGING_UNTIL, 'r', () => callback(Object.assign(new Error(`${host}`), { code: 'EAI_AGAIN' })));
};
syncBuiltinESMExports();
