import { createTable, type Paint } from '@driftwire/terminal';
import type { Finding, FuzzResult } from './fuzz.js';

const BODY_SHOWN = 500;

/** How often each operation was answered with what. */
export function writeStatuses({ statuses }: FuzzResult, paint: Paint): string {
  const all = [...new Set([...statuses.values()].flatMap((counts) => [...counts.keys()]))].sort((a, b) => a - b);
  const table = createTable(['OPERATION', ...all.map((status) => `${status} >`)], paint);
  for (const [operationId, counts] of [...statuses].sort(([a], [b]) => a.localeCompare(b))) {
    table.add([operationId, ...all.map((status) => `${counts.get(status) ?? ''}`)]);
  }
  return table.write();
}

/** What was sent and what is wrong with its answer. */
export function writeFinding({ number, request, problem }: Finding): string {
  const { method, target, caller, headers, body } = request;
  const sent = [`${method} ${target.slice(0, BODY_SHOWN)} as ${caller}`, JSON.stringify(headers)];
  if (body !== undefined)
    sent.push(typeof body === 'string' ? body.slice(0, BODY_SHOWN) : `bytes ${Buffer.from(body).toString('hex')}`);
  return `request ${number}: ${problem}\n  ${sent.join('\n  ')}`;
}

/** Operations that nothing good got through to: then the run has shown little about them. */
export function neverSuccessful({ statuses }: FuzzResult): string[] {
  return [...statuses].flatMap(([operationId, counts]) =>
    [...counts.keys()].some((status) => status < 300) ? [] : [operationId],
  );
}
