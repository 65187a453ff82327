import { createTable, type Paint } from '@driftwire/terminal';
import { type KindSummary, summarizeKinds } from './kind-summary.js';
import type { Settings } from './settings.js';
import { LEASE_MS } from './stack-limits.js';
import type { Tally } from './tally.js';
import type { Verdict } from './verdict.js';

/** What the person at the terminal gets to read: faults and recovery, then the sums. */
export function writeReport({ recoveries, tally }: Verdict, mode: Settings['mode'], paint: Paint): string {
  const kinds = summarizeKinds(recoveries, LEASE_MS);
  const explanation = `(of deliveries to receivers that always answer 200: the longest time without one, the longest
 that one accepted since and not hit itself took, how many the fault caught unfinished, and when the last of them ended;
 counted from the moment it struck, or, when Redis or Postgres was away, from its return)`;
  const faults = kinds.length === 0 ? 'No faults.' : `${writeKinds(kinds, mode, paint)}\n${paint('dim', explanation)}`;
  return `${faults}\n\n${writeTally(tally)}`;
}

const HEADINGS = ['FAULT', 'INJECTED >', 'SILENCE >', 'LATENCY >', 'CAUGHT >', 'ENDED p50 >', 'max >', 'REPEATS >'];
const JUDGED = ['≤ 5 s', `≤ ${LEASE_MS / 1_000 + 5} s`];

function writeKinds(kinds: readonly KindSummary[], mode: Settings['mode'], paint: Paint): string {
  const table = createTable(mode === 'mixed' ? HEADINGS : [...HEADINGS, ...JUDGED], paint);
  const pass = (isSo: boolean) => (isSo ? paint('green', 'pass') : paint('red', 'FAIL'));
  for (const kind of kinds) {
    table.add([
      kind.kind,
      kind.missed === 0 ? `${kind.injected}` : `${kind.injected} of ${kind.injected + kind.missed}`,
      ...[kind.silenceMaxMs, kind.latencyMaxMs].map(writeMs),
      `${kind.interrupted}`,
      ...[kind.doneP50Ms, kind.doneMaxMs].map(writeMs),
      `${kind.repeats}`,
      pass(kind.arePrompt),
      pass(kind.areResumed),
    ]);
  }
  return table.write();
}

function writeMs(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function writeTally(tally: Tally): string {
  const endings = Object.entries(tally.endings).sort(([one], [other]) => one.localeCompare(other));
  const wedged = tally.wedged === 0 ? '' : ` (${tally.wedged} by a worker's own watchdog)`;
  return [
    `${tally.events} events acknowledged, the slowest in ${writeMs(tally.slowest202Ms)}; ${tally.late202s} took longer than 5 s.`,
    `${tally.deliveries} deliveries: ${endings.map(([ending, count]) => `${count} ${ending}`).join(', ')}.`,
    `${tally.requests} requests seen, ${tally.attempts} attempts on record, ${tally.unknown} of them unknown; ${tally.repeats} repeats.`,
    `${tally.held} deliveries were seen held, ${tally.heldAtOnce} at once. ${tally.probes} probes went out.`,
    `${tally.circuits} circuits were opened: ${tally.closedByProbe} closed by a probe, ${tally.closedByHand} by hand when all receivers answered again.`,
    `${tally.restarts} restarts${wedged}. Lost: ${tally.lost}. Violations: ${tally.violations}.`,
  ].join('\n');
}
