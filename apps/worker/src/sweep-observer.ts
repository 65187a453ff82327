import { isPostgresUnavailable, type OverdueSummary } from '@driftwire/database';
import type { Log } from '@driftwire/runtime';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { SweptBatch } from './sweep.js';
import type { Vitals } from './watchdog.js';

export type SweepObserver = {
  overdue: (overdue: OverdueSummary) => void;
  swept: (batch: SweptBatch) => void;
  wiped: (wipe: { unfinished: number; lastsMs: number }) => void;
  failed: (error: unknown) => void;
  wedged: (vitals: Vitals) => void;
};

/** One log line for everything the sweeper had to do, and the gauges an operator sets alarms on. */
export function createSweepObserver(log: Log, registry: Registry): SweepObserver {
  const { overdue, oldest, swept, wipes } = sweepMetrics(registry);

  return {
    overdue: ({ count, oldestMs }) => {
      overdue.set(count);
      oldest.set(oldestMs / 1000);
    },
    swept: (batch) => {
      for (const found of ['missing', 'finished', 'stray', 'asleep', 'waiting'] as const)
        swept.inc({ found }, batch[found]);
      log[batch.overdue > batch.waiting ? 'info' : 'debug'](batch, 'deliveries.swept');
    },
    wiped: (wipe) => {
      wipes.inc();
      log.warn(wipe, 'redis.wiped');
    },
    failed: (error) => log[isPostgresUnavailable(error) ? 'warn' : 'error']({ err: error }, 'sweep.failed'),
    wedged: (vitals) => log.fatal(vitals, 'worker.wedged'),
  };
}

function sweepMetrics(registry: Registry) {
  const registers = [registry];
  const overdue = new Gauge({
    name: 'driftwire_deliveries_overdue',
    help: 'Deliveries due for more than 5 s that nobody is sending, counted up to 10,000. All workers see the same.',
    registers,
  });
  const oldest = new Gauge({
    name: 'driftwire_oldest_overdue_seconds',
    help: 'How long the oldest overdue delivery has been due. All workers see the same.',
    registers,
  });
  const swept = new Counter({
    name: 'driftwire_deliveries_swept_total',
    help: 'Deliveries past their deadline, by what Redis held: missing, finished and stray got a new job, asleep was woken, waiting was in order.',
    labelNames: ['found'],
    registers,
  });
  const wipes = new Counter({
    name: 'driftwire_redis_wipes_total',
    help: 'Times this worker noticed that all jobs were gone. The deliveries are recovered; find out why.',
    registers,
  });
  return { overdue, oldest, swept, wipes };
}
