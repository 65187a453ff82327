import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Machine } from '../stack/machine.js';
import { summarizeKinds } from './kind-summary.js';
import { LEASE_MS } from './stack-limits.js';
import type { Observed, Verdict } from './verdict.js';

/** Everything a later look may need, but no bodies and no keys. */
export function writeReportFile(observed: Observed, verdict: Verdict, machine: Machine): void {
  const { settings, exits } = observed;
  const { tally, recoveries, violations } = verdict;
  const kinds = summarizeKinds(recoveries, LEASE_MS);
  const guilty = new Set(violations.flatMap(({ ids }) => ids));
  const requests = observed.requests.filter(({ deliveryId }) => guilty.has(deliveryId));
  const report = { machine, settings, tally, kinds, faults: recoveries, exits, violations, requests };
  mkdirSync(dirname(settings.reportFile), { recursive: true });
  writeFileSync(settings.reportFile, `${JSON.stringify(report, null, 2)}\n`);
}
