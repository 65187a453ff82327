import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

// A name server that answers the first question for `localhost` late.
const lookup = dns.lookup;
let isFirst = true;
dns.lookup = (host, ...more) => {
  const isLate = isFirst && host === 'localhost';
  if (host === 'localhost') isFirst = false;
  if (isLate) setTimeout(lookup, Number(process.env.ANSWERED_AFTER_MS), host, ...more);
  else lookup(host, ...more);
};
syncBuiltinESMExports();
