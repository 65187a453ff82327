import type { Log } from '@driftwire/runtime';
import { Counter, type Registry } from 'prom-client';
import type { RetentionObserver } from './retention.js';

/** A day that stays past its time is a warning: something in it never came to its end. */
export function createRetentionObserver(log: Log, registry: Registry): RetentionObserver {
  const days = new Counter({
    name: 'driftwire_retention_days_total',
    help: 'Days past their retention, by what became of them: dropped, unfinished or busy. The last two are tried again.',
    labelNames: ['became'],
    registers: [registry],
  });
  return {
    made: (made) => log.info({ days: made }, 'partitions.made'),
    dropped: ({ day, became, purgedKeys }) => {
      days.inc({ became });
      log[became === 'unfinished' ? 'warn' : 'info']({ day, became, purged_keys: purgedKeys }, 'retention.day');
    },
  };
}
