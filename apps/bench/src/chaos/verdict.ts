import { readFileSync } from 'node:fs';
import type { Exit } from '../stack/process-keeper.js';
import { STEADY_ENDPOINTS } from './endpoints.js';
import { judgeExit, readLogFacts } from './exits.js';
import type { InjectedFault } from './fault-runner.js';
import type { HeldSeen } from './held-watch.js';
import type { JudgedHistory } from './history.js';
import { tellStories } from './oracle/delivery-story.js';
import type { Evidence, ReceivedRequest, Violation } from './oracle/evidence.js';
import { judge } from './oracle/judge.js';
import { acceptedRequests } from './oracle/repeats.js';
import type { Production } from './producer.js';
import { measureRecoveries, type Recovery, type SteadyDelivery } from './recovery.js';
import { findSlowRecoveries, PROMPT_MS } from './recovery-promise.js';
import type { Settings } from './settings.js';
import { LEASE_MS, MAX_STARTS, REQUEST_TIMEOUT_MS } from './stack-limits.js';
import { type Tally, tallyUp } from './tally.js';

export type Observed = {
  settings: Settings;
  history: JudgedHistory;
  production: Production;
  requests: readonly ReceivedRequest[];
  exits: readonly Exit[];
  held: HeldSeen;
  workerLogs: readonly string[];
  injected: readonly InjectedFault[];
  observedUntil: number;
};

export type Verdict = { violations: Violation[]; recoveries: Recovery[]; tally: Tally };

export function reachVerdict(observed: Observed): Verdict {
  const { settings, production, exits } = observed;
  const evidence = evidenceOf(observed);
  const recoveries = measureRecoveries(observationOf(observed, evidence));
  const ends = exits.map((exit) => judgeExit(exit, readLogFacts(readFileSync(exit.logFile, 'utf8'))));
  const violations = [
    ...judge(evidence),
    ...production.refused,
    ...ends.flatMap((end) => (end?.kind === 'violation' ? [end.violation] : [])),
    ...(settings.mode === 'one-at-a-time' ? findSlowRecoveries(recoveries, LEASE_MS) : []),
  ];
  const wedged = ends.filter((end) => end?.kind === 'wedged').length;
  const probes = countProbes(observed.workerLogs);
  return {
    violations,
    recoveries,
    tally: tallyUp({ evidence, production, exits, held: observed.held, probes, wedged, violations: violations.length }),
  };
}

function countProbes(logFiles: readonly string[]): number {
  return logFiles.reduce((sum, file) => sum + readFileSync(file, 'utf8').split('"circuit.probed"').length - 1, 0);
}

function evidenceOf({ history, production, requests }: Observed): Evidence {
  const promises = { requestTimeoutMs: REQUEST_TIMEOUT_MS, leaseMs: LEASE_MS, maxStarts: MAX_STARTS };
  return { ...history, acknowledged: production.acknowledged, requests, promises };
}

function observationOf({ settings, injected, observedUntil }: Observed, evidence: Evidence) {
  const stories = tellStories(evidence).map((story) => ({ ...story, accepted: acceptedRequests(story) }));
  const steady = stories.filter(({ endpoint }) => STEADY_ENDPOINTS.some((name) => name === endpoint?.name));
  const deliveries = steady.map(
    ({ delivery, accepted, attempts }): SteadyDelivery => ({
      createdAt: delivery.createdAt,
      completedAt: delivery.completedAt,
      acceptedAt: accepted[0]?.arrivedAt ?? null,
      attempts: attempts.length,
    }),
  );
  const repeatedAt = stories.flatMap(({ accepted }) => accepted.slice(0, -1).map(({ arrivedAt }) => arrivedAt));
  const guardMs = settings.mode === 'one-at-a-time' ? PROMPT_MS : 0;
  return { faults: injected, deliveries, repeatedAt, guardMs, until: observedUntil };
}
