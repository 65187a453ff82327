import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@driftwire/local-servers';
import type { ChaosApi } from './chaos-api.js';
import type { ReceivedRequest } from './oracle/evidence.js';

export type PausingDeps = {
  api: ChaosApi;
  endpointId: string;
  requests: readonly ReceivedRequest[];
  afterMs: number;
  signal: AbortSignal;
};

const ANOTHER_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 200;

/** Switches the `paused` endpoint off right after it has had a request: that one's retry is waiting, and is cancelled. */
export async function pauseEndpoint({ api, endpointId, requests, afterMs, signal }: PausingDeps): Promise<void> {
  await pause(afterMs, undefined, { signal });
  const seenBefore = countPaused(requests);
  await until(() => countPaused(requests) > seenBefore, { deadlineMs: ANOTHER_WITHIN_MS, signal });
  const isDone = () => api.deactivateEndpoint(endpointId);
  await until(isDone, { deadlineMs: ANOTHER_WITHIN_MS, everyMs: ASK_EVERY_MS, signal });
}

function countPaused(requests: readonly ReceivedRequest[]): number {
  return requests.filter(({ endpoint, endedAt }) => endpoint === 'paused' && endedAt !== null).length;
}
