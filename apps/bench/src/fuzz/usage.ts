export const USAGE = `npm run fuzz [-- options]

Starts a Driftwire of its own and sends every operation of its /openapi.json good, bent and hostile requests, with the keys
of several callers. Exits non-zero if one is answered 5xx, not as documented, or not at all, or if a process ends.

  --requests N    how many (20000)
  --seed S        repeats the requests of an earlier run (random, and printed)
  --keep          keep databases and logs; kept anyway after a finding`;
