import type { DatabaseClock } from '@driftwire/database';

export type ClockWatch = {
  /** One look at the database's clock; rejects when it cannot. */
  look: () => Promise<void>;
  /** What is to be said of this process's own clock, undefined when it is right. */
  remark: () => string | undefined;
};

export type ClockObserver = { skew: (skewMs: number) => void; off: (skewMs: number, remark: string) => void };

/** Less is no reason to wake anybody; more than this, certificates and signatures of others begin to fail. */
const OFF_MS = 30_000;

/** Tells, once each time, that this process's own clock and the database's have come apart. The API itself goes by the database's. */
export function createClockWatch({ look, skewMs }: DatabaseClock, observe: ClockObserver): ClockWatch {
  let wasOff = false;
  return {
    remark: () => remarkOf(skewMs()),
    look: async () => {
      await look();
      const remark = remarkOf(skewMs());
      observe.skew(skewMs());
      if (remark !== undefined && !wasOff) observe.off(skewMs(), remark);
      wasOff = remark !== undefined;
    },
  };
}

function remarkOf(skewMs: number): string | undefined {
  if (Math.abs(skewMs) <= OFF_MS) return undefined;
  return `off by ${roughly(Math.abs(skewMs))}, ${skewMs > 0 ? 'ahead of' : 'behind'} Postgres`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

function roughly(ms: number): string {
  const [name, unitMs] = UNITS.find(([, unit]) => ms >= 0.999 * unit) ?? UNITS[3];
  return `${Math.round(ms / unitMs)} ${name}`;
}
