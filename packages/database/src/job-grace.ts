/** How long the job of a delivery that is due may be missing before the sweeper looks for it. */
export const JOB_GRACE_MS = 5_000;
/** Behind a backlog, where a job that waits is no job that is missing. As rarely as the sweeper looks at those. */
const LONGEST_GRACE_MS = 15 * 60_000;
/** A new job waits longer than the oldest one has by as much as more come in than go out: up to three times as many. */
const BACKLOG_FACTOR = 3;

/** The same for a delivery that comes behind others, of which the oldest has been due for `backlogMs`. */
export function jobGraceMs(backlogMs: number): number {
  return Math.min(JOB_GRACE_MS + BACKLOG_FACTOR * backlogMs, LONGEST_GRACE_MS);
}
