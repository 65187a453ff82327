// Stands in for the API and for a worker: ready at once, and gone on SIGTERM. BAD_AT says when it finds its configuration wrong.
import { createServer } from 'node:http';

const { HOST, PORT, WORKER_PORT, BAD_AT } = process.env;
const isCheck = process.argv.includes('--check-config');

if (BAD_AT === (isCheck ? 'check' : 'start')) {
  console.error('MAX_ATTEMPTS: must be a number');
  process.exit(78);
}
if (isCheck) process.exit(0);
process.title = `stand-in-${WORKER_PORT ? 'worker' : 'api'}`;
process.on('SIGTERM', () => process.exit(0));
createServer((request, response) => response.writeHead(request.url === '/readyz' ? 200 : 404).end('{}')).listen(
  Number(WORKER_PORT ?? PORT),
  WORKER_PORT ? '127.0.0.1' : HOST,
);
