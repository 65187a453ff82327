import type { Screen } from '@driftwire/terminal';

/** A line when the step is done: what, and how long it took. */
export async function timeStep(screen: Screen, what: string, step: Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await step;
  screen.say(`  ${what.padEnd(28)} ${seconds(performance.now() - startedAt)}`);
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(1)} s`;
}
