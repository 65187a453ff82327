import fc from 'fast-check';
import { startReceivers } from '../benchmark/receivers.js';
import type { Stack } from '../stack/stack.js';
import { problemWith } from './judge.js';
import { type OpenApiDocument, type Operation, operationsOf } from './operations.js';
import { type FuzzRequest, requestOf } from './requests.js';
import { createSend } from './send.js';
import { makeWorld } from './world.js';

/** A request that was answered as nobody may expect, or not at all. */
export type Finding = { number: number; request: FuzzRequest; problem: string };

/** `statuses` is how often each operation gave which status. */
export type FuzzResult = { sent: number; findings: Finding[]; statuses: Map<string, Map<number, number>> };

export type FuzzOptions = {
  requests: number;
  seed: number;
  signal: AbortSignal;
  progress: (done: number, all: number) => void;
};

/** Requests that share a world: long enough to meet each other's traces, short enough that not all is deleted. */
const ROUND = 500;
const AT_ONCE = 16;
const ENOUGH_FINDINGS = 20;

/** Sends as many requests as told, or until there are more findings than anybody will read. */
export async function fuzz(stack: Stack, { requests, seed, signal, progress }: FuzzOptions): Promise<FuzzResult> {
  const apiUrl = stack.apiUrls[0] ?? '';
  const operations = operationsOf((await (await fetch(`${apiUrl}/openapi.json`)).json()) as OpenApiDocument);
  const receivers = await startReceivers(1);
  const { send, close } = createSend(apiUrl, AT_ONCE);
  const result: FuzzResult = { sent: 0, findings: [], statuses: new Map() };
  try {
    while (result.sent < requests && result.findings.length < ENOUGH_FINDINGS) {
      const world = await makeWorld(stack, receivers.urls[0] ?? '');
      const numRuns = Math.min(ROUND, requests - result.sent);
      const round = fc.sample(requestOf(operations, world), { seed: seed + result.sent, numRuns });
      const numbered = round.map((request, index) => ({ request, number: result.sent + index + 1 }));
      await eachOf(numbered, async ({ request, number }) => {
        signal.throwIfAborted();
        const answer = await send(request, world.callers[request.caller]);
        if (answer.kind === 'answer') count(result, request.operation, answer.status);
        const problem = problemWith(answer, request.operation);
        if (problem !== null) result.findings.push({ number, request, problem });
        result.sent += 1;
        progress(result.sent, requests);
      });
    }
    return result;
  } finally {
    close();
    await receivers.close();
  }
}

async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const takeTurns = async () => {
    for (const item of waiting) await run(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeTurns));
}

function count({ statuses }: FuzzResult, { operationId }: Operation, status: number): void {
  const counts = statuses.get(operationId) ?? new Map<number, number>();
  counts.set(status, (counts.get(status) ?? 0) + 1);
  statuses.set(operationId, counts);
}
