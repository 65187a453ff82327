// A receiver in twenty lines: verifies each webhook with the published `standardwebhooks` package, dedupes by id,
// and shows what came. Run it from the repository: WEBHOOK_SECRET=whsec_… node docs/examples/receiver.mjs
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? '');
const seen = new Set();

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    // The raw body: parsing and re-serialising it would change what was signed.
    const event = webhook.verify(Buffer.concat(chunks).toString(), request.headers);
    const id = request.headers['webhook-id'];
    console.log(seen.has(id) ? `${id} again: ignored` : `${id} verified: ${JSON.stringify(event, null, 2)}`);
    seen.add(id);
    response.writeHead(204).end();
  } catch (error) {
    console.log(`refused: ${error.message}`);
    response.writeHead(401).end();
  }
}).listen(4000, '127.0.0.1', () => console.log('Waiting for webhooks on http://127.0.0.1:4000'));
