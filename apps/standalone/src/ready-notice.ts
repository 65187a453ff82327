import type { Stack } from './stack-bring-up.js';
import { seconds } from './step-time.js';

/** What a person needs once everything runs: where things are, and something to paste. */
export function writeReadyNotice(stack: Stack, tookMs: number): string {
  return `
Driftwire is ready in ${seconds(tookMs)}

${table(listPlaces(stack))}

${sayWhatIsOpen(stack)}

Try it in another terminal (the first command is a receiver that shows what arrives):

${indent(writeExample(stack))}

Ctrl-C stops everything. The data stays in ${stack.settings.dataDir}.
`;
}

function listPlaces({ apiUrl, settings, environment }: Stack): [string, string][] {
  return [
    ['API', apiUrl],
    ['Documentation', `${apiUrl}/docs`],
    ['Dashboard', `${apiUrl}/queues  (any user name, the admin key as password)`],
    ['Metrics', `${apiUrl}/metrics`],
    ['Postgres', settings.databaseUrl ? 'yours, from DATABASE_URL' : `${environment.DATABASE_URL}`],
    ['Redis', settings.redisUrl ? 'yours, from REDIS_URL' : `redis-cli -p ${new URL(`${environment.REDIS_URL}`).port}`],
    ['Admin key', settings.adminApiKey ? 'yours, from ADMIN_API_KEY' : `${environment.ADMIN_API_KEY}`],
  ];
}

function sayWhatIsOpen({ environment }: Stack): string {
  const endpoints =
    environment.ALLOW_PRIVATE_ENDPOINTS === 'true'
      ? 'For development, endpoints may be http and on private addresses (ALLOW_PRIVATE_ENDPOINTS=false forbids it)'
      : 'Endpoints must be https and on public addresses';
  const rate = environment.RATE_LIMIT_PER_KEY === '0' ? 'there is no rate limit' : 'requests are rate-limited';
  return `${endpoints}; ${rate}.`;
}

/** Plain sh: it must survive being pasted into any shell. */
function writeExample({ apiUrl, settings, environment }: Stack): string {
  const key = settings.adminApiKey ? '$ADMIN_API_KEY' : environment.ADMIN_API_KEY;
  return `node -e 'require("http").createServer((q,s)=>{console.log(q.headers);q.pipe(process.stdout);s.end()}).listen(4000)' &
post() { curl -s "${apiUrl}$1" -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d "$2"; echo; }
CUSTOMER=$(post /v1/customers '{"name":"Acme"}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
post /v1/endpoints '{"customer_id":"'$CUSTOMER'","name":"mine","url":"http://127.0.0.1:4000/"}'
post /v1/drift-events '{"customer_id":"'$CUSTOMER'","data":{"drift_type":"DENIAL_RATE","payer":"Aetna","baseline_value":0.12,"current_value":0.31,"severity":0.8,"confidence":0.95}}'`;
}

function table(rows: [string, string][]): string {
  return rows.map(([name, value]) => `  ${name.padEnd(14)} ${value}`).join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
