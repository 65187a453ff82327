import { Histogram, type Registry } from 'prom-client';

const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** Observes how many rows a statement took at once: near 1 all the time says that there is nothing to batch. */
export function measureBatches(registry: Registry): (statement: string, rows: number) => void {
  const sizes = new Histogram({
    name: 'driftwire_statement_rows',
    help: 'Rows that one batched statement was run for, by statement.',
    labelNames: ['statement'],
    buckets: SIZES,
    registers: [registry],
  });
  return (statement, rows) => sizes.observe({ statement }, rows);
}
