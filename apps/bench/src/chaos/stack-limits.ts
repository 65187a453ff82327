/** What every promise is judged by; the stack is started with the same numbers. */
export const APIS = 2;
export const REQUEST_TIMEOUT_MS = 3_000;
export const LEASE_MS = REQUEST_TIMEOUT_MS + 20_000;
export const MAX_STARTS = 10;
export const RETRY_BASE_DELAY_MS = 500;
/**
 * Few enough that two cores serve them all well within the timeout, also while a backlog is caught up: a receiver that is too
 * slow to be in time gets its webhook again, which proves nothing.
 */
export const WORKER_CONCURRENCY = 40;
