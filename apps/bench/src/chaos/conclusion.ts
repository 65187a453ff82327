import type { LiveScreen, Paint } from '@driftwire/terminal';
import { type Machine, writeMachine } from '../stack/machine.js';
import type { Violation } from './oracle/evidence.js';
import { writeReport } from './report.js';
import { writeReportFile } from './report-file.js';
import type { Settings } from './settings.js';
import { APIS, CIRCUIT_PROBE_MS, LEASE_MS, REQUEST_TIMEOUT_MS, RETRY_BASE_DELAY_MS } from './stack-limits.js';
import { type Observed, reachVerdict } from './verdict.js';

export type Audience = { screen: LiveScreen; paint: Paint };

const SHOWN_VIOLATIONS = 20;

/** Judges what was seen, writes it down and says it. */
export function conclude({ screen, paint }: Audience, observed: Observed, machine: Machine): Violation[] {
  const { settings } = observed;
  const verdict = reachVerdict(observed);
  const { violations } = verdict;
  writeReportFile(observed, verdict, machine);
  screen.say(`\n${writeReport(verdict, settings.mode, paint)}\n\n${paint('dim', writeSettings(machine, settings))}`);
  screen.say(`Report: ${settings.reportFile}\n`);
  if (violations.length === 0) screen.say(paint('green', 'No violation.'));
  for (const { rule, sentence } of violations.slice(0, SHOWN_VIOLATIONS)) {
    screen.complain(paint('red', `VIOLATION (${rule}): ${sentence}`));
  }
  const more = violations.length - SHOWN_VIOLATIONS;
  if (more > 0) screen.complain(paint('red', `and ${more} more`));
  return violations;
}

function writeSettings(machine: Machine, { workers, seed }: Settings): string {
  return [
    writeMachine(machine),
    `${APIS} APIs, ${workers} workers, request timeout ${REQUEST_TIMEOUT_MS} ms, lease ${LEASE_MS} ms, first retry after ${RETRY_BASE_DELAY_MS} ms, first probe after ${CIRCUIT_PROBE_MS} ms, seed ${seed}`,
  ].join('\n');
}
