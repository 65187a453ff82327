import type { Log } from '@driftwire/runtime';
import { Gauge, type Registry } from 'prom-client';

/** Milliseconds since 1970: by this machine's clock when a statement was sent and when it was answered, and by Postgres's between. */
export type ClockReading = { askedAtMs: number; postgresAtMs: number; answeredAtMs: number };

const LARGE_SKEW_MS = 30_000;
const SAID_AGAIN_AFTER_MS = 600_000;

export type ClockSkewDeps = {
  measured: (skewMs: number) => void;
  /** Once, and again when it has changed much or ten minutes have gone. */
  large: (skewMs: number) => void;
  /** A monotonic clock in milliseconds. */
  now: () => number;
};

/**
 * Tells when this machine's clock is far from Postgres's. Deliveries go by the latter; but BullMQ's delays, the log's times and the
 * certificates of receivers go by the former.
 */
export function createClockSkewWatch({ measured, large, now }: ClockSkewDeps): (reading: ClockReading) => void {
  let said: { skewMs: number; at: number } | null = null;

  return (reading) => {
    const skewMs = clockSkewMs(reading);
    measured(skewMs);
    if (Math.abs(skewMs) <= LARGE_SKEW_MS) {
      said = null;
      return;
    }
    const isNews = said === null || Math.abs(skewMs - said.skewMs) > LARGE_SKEW_MS;
    if (said !== null && !isNews && now() - said.at < SAID_AGAIN_AFTER_MS) return;
    said = { skewMs, at: now() };
    large(skewMs);
  };
}

/** What is certain of it: how long the statement was on its way, or this process stopped, is no skew. Positive: ahead of Postgres. */
export function clockSkewMs({ askedAtMs, postgresAtMs, answeredAtMs }: ClockReading): number {
  if (postgresAtMs < askedAtMs) return askedAtMs - postgresAtMs;
  return Math.min(answeredAtMs - postgresAtMs, 0);
}

export function observeClockSkew(log: Log, registry: Registry): Pick<ClockSkewDeps, 'measured' | 'large'> {
  const skew = new Gauge({
    name: 'driftwire_clock_skew_seconds',
    help: "How far this worker's clock is ahead of Postgres's (negative: behind), as the claims have it.",
    registers: [registry],
  });
  return {
    measured: (skewMs) => skew.set(skewMs / 1_000),
    large: (skewMs) =>
      log.warn({ skew_ms: Math.round(skewMs) }, "clock.skewed: this machine's clock is not Postgres's"),
  };
}
