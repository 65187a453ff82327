/** How long the job of a delivery that is due may be missing before the sweeper looks for it. */
export const JOB_GRACE_MS = 5_000;
