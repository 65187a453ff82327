import { until } from '@driftwire/local-servers';
import type { ChaosApi } from './chaos-api.js';

export type ClosingDeps = { api: ChaosApi; endpointIds: Iterable<string>; signal: AbortSignal };

const DONE_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 200;

/**
 * Closes every circuit, as an operator would when an outage is over: the next probe of a long one may be minutes away. What opens
 * after this has to close by itself.
 */
export async function closeCircuits({ api, endpointIds, signal }: ClosingDeps): Promise<void> {
  for (const id of endpointIds) {
    await until(() => api.closeCircuit(id), { deadlineMs: DONE_WITHIN_MS, everyMs: ASK_EVERY_MS, signal });
  }
}
