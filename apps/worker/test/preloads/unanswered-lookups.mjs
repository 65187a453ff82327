import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

// A name server that does not answer the first few questions for `localhost`.
const lookup = dns.lookup;
let unanswered = Number(process.env.UNANSWERED_LOOKUPS);
dns.lookup = (host, ...more) => {
  if (host === 'localhost' && unanswered > 0) unanswered -= 1;
  else lookup(host, ...more);
};
syncBuiltinESMExports();
