import type { Log } from '@driftwire/runtime';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { RetentionObserver } from './retention.js';

/** Partitions made, and how far ahead they are there. */
export function createPartitionObserver(log: Log, registry: Registry) {
  const daysAhead = new Gauge({
    name: 'driftwire_partition_days_ahead',
    help: 'Whole days from today on whose partitions are there, up to 8. At 0 no event can be stored.',
    registers: [registry],
  });
  return {
    made: (days: number) => log.info({ days }, 'partitions.made'),
    ahead: (days: number) => daysAhead.set(days),
  };
}

/** A day that stays past its time is a warning: something in it never came to its end. */
export function createRetentionObserver(log: Log, registry: Registry): RetentionObserver {
  const days = new Counter({
    name: 'driftwire_retention_days_total',
    help: 'Days past their retention, by what became of them: dropped, unfinished or busy. The last two are tried again.',
    labelNames: ['became'],
    registers: [registry],
  });
  return {
    dropped: ({ day, became, purgedKeys }) => {
      days.inc({ became });
      log[became === 'unfinished' ? 'warn' : 'info']({ day, became, purged_keys: purgedKeys }, 'retention.day');
    },
  };
}
