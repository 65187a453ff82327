import type { Evidence, Violation } from './evidence.js';

/** What foreign keys would have refused: events, deliveries and attempts have none. */
export function findOrphanedRows({ orphans }: Evidence): Violation[] {
  return orphans.map(({ what, orphans: count, examples }) => ({
    rule: 'no row refers to what is not there',
    ids: examples,
    sentence: `there are ${count} ${what}, for example ${examples.join(', ')}`,
  }));
}
