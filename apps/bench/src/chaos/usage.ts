import { FAULT_KINDS } from './fault-kinds.js';

export const USAGE = `npm run chaos [-- options]

Starts a Driftwire of its own (Postgres, Redis, two APIs, several workers), posts drift events while it breaks one part
after the other, lets everything recover, and holds what happened against what Driftwire promises. Exits non-zero if a
promise was broken. Nothing is left behind but the report.

Its ten receivers differ: one fails until all faults are over, two have limits and now and then get a rush of events. When
all faults are over and all receivers answer, every circuit is closed by hand, as after an outage: nothing has to wait for
the next probe.

  --events N      drift events to post (2000)
  --minutes M     over how long (1)
  --faults F      how many faults (25 a minute)
  --workers W     worker processes (4)
  --seed S        repeats the plan of an earlier run (random, and printed)
  --only A,B      these kinds of fault only
  --report FILE   where the JSON report goes (reports/chaos-<seed>.json)
  --keep          keep databases and logs; kept anyway after a violation
  --sabotage X    sweeper, fence or release: workers break that promise on purpose, and the run must notice (it flushes,
                  freezes, or has a receiver away more often for it)

  --one-at-a-time measures recovery: a fault only when the one before is over, light load
    --every S     seconds between faults (30)
    --each N      faults of each kind (10)
    --rate R      drift events a second (10)

Kinds of fault: ${FAULT_KINDS.join(', ')}`;
