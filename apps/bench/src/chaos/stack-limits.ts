/** What every promise is judged by; the stack is started with the same numbers. */
export const APIS = 2;
export const REQUEST_TIMEOUT_MS = 3_000;
export const LEASE_MS = REQUEST_TIMEOUT_MS + 20_000;
export const MAX_STARTS = 10;
export const RETRY_BASE_DELAY_MS = 500;
export const MAX_ATTEMPTS = 3;
/** For so long the attempts of a delivery last at most: each times out, and the waits are one, two and, with jitter, a fifth more. */
export const ATTEMPTS_LAST_MS = MAX_ATTEMPTS * REQUEST_TIMEOUT_MS + 3 * 1.2 * RETRY_BASE_DELAY_MS;
/** In the proportion that 30 s have to a first retry after two minutes. */
export const CIRCUIT_AFTER_MS = RETRY_BASE_DELAY_MS / 4;
export const CIRCUIT_PROBE_MS = RETRY_BASE_DELAY_MS / 4;
/**
 * Few enough that two cores serve them all well within the timeout, also while a backlog is caught up: a receiver that is too
 * slow to be in time gets its webhook again, which proves nothing.
 */
export const WORKER_CONCURRENCY = 40;
