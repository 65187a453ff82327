import { createHmac } from 'node:crypto';
import { Agent } from 'node:http';
import { createInterface } from 'node:readline';
import got from 'got';

/**
 * The floor: got in a loop, a signed POST and nothing else. Each line of its input is a number of requests; it makes them and
 * prints what that took as JSON.
 */
const { URLS = '', SECRET = '', BODY = '', CONCURRENCY = '100' } = process.env;
const urls = URLS.split(',');
const client = got.extend({
  agent: { http: new Agent({ keepAlive: true }) },
  retry: { limit: 0 },
  throwHttpErrors: false,
});
let next = 0;

async function loop(until: number): Promise<void> {
  while (next < until) {
    const url = urls[next % urls.length] ?? '';
    next += 1;
    const headers = {
      'content-type': 'application/json',
      'x-signature': createHmac('sha256', SECRET).update(BODY).digest('hex'),
    };
    const { statusCode } = await client.post(url, { body: BODY, headers });
    if (statusCode !== 200) throw new Error(`the receiver answered ${statusCode}`);
  }
}

async function run(requests: number): Promise<{ ms: number; cpuMs: number }> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  next = 0;
  await Promise.all(Array.from({ length: Number(CONCURRENCY) }, () => loop(requests)));
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

for await (const line of createInterface(process.stdin)) console.log(JSON.stringify(await run(Number(line))));
// Its connections are kept, and would keep it.
process.exit(0);
