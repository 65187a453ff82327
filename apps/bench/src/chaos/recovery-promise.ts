import type { Violation } from './oracle/evidence.js';
import type { Recovery } from './recovery.js';

/** What the fault did not hit arrives at once, and what was interrupted waits for its lease at most. */
export const PROMPT_MS = 5_000;

export function isPrompt({ latencyMaxMs }: Recovery): boolean {
  return latencyMaxMs === null || latencyMaxMs <= PROMPT_MS;
}

export function isResumed({ interruptedDoneMs }: Recovery, leaseMs: number): boolean {
  return interruptedDoneMs === null || interruptedDoneMs <= leaseMs + PROMPT_MS;
}

/** Meaningful only where faults come one at a time. */
export function findSlowRecoveries(recoveries: readonly Recovery[], leaseMs: number): Violation[] {
  return recoveries.flatMap((recovery) => {
    const { number, kind, latencyMaxMs, interruptedDoneMs } = recovery;
    const after = `after fault ${number} (${kind})`;
    const slow: string[] = [];
    if (!isPrompt(recovery))
      slow.push(`${after} a delivery accepted later took ${latencyMaxMs} ms, and ${PROMPT_MS} is the most`);
    if (!isResumed(recovery, leaseMs))
      slow.push(
        `${after} the last interrupted delivery ended ${interruptedDoneMs} ms later, and ${leaseMs + PROMPT_MS} is the most`,
      );
    return slow.map((sentence) => ({ rule: 'recovery is prompt', ids: [`fault ${number}`], sentence }));
  });
}
