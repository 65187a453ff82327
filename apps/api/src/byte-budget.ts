import { Problem } from './problem.js';

export type ByteBudgetOptions = {
  capacity: number;
  /** Those who come when so many wait already are refused at once. */
  maxWaiting: number;
  waitMs: number;
};

/** What somebody holds of a budget. Both may be called again and again. */
export type Hold = { shrinkTo: (bytes: number) => void; release: () => void };

export type ByteBudget = {
  /** Waits for its turn, first come first served; 503 when that takes too long, or when its client has gone. */
  take: (bytes: number, gone: () => AbortSignal) => Hold | Promise<Hold>;
};

type Waiter = { bytes: number; admit: (hold: Hold) => void };

/** Memory that requests may take together. Who asks for more than there is free waits for those before it to end. */
export function createByteBudget({ capacity, maxWaiting, waitMs }: ByteBudgetOptions): ByteBudget {
  let free = capacity;
  const waiting = new Set<Waiter>();

  function hold(bytes: number): Hold {
    let held = bytes;
    free -= bytes;
    const shrinkTo = (left: number) => {
      if (left >= held) return;
      free += held - left;
      held = left;
      admitWaiting();
    };
    return { shrinkTo, release: () => shrinkTo(0) };
  }

  function admitWaiting(): void {
    for (const waiter of waiting) {
      // Nobody overtakes: a large body would never get in between small ones.
      if (waiter.bytes > free) return;
      waiting.delete(waiter);
      waiter.admit(hold(waiter.bytes));
    }
  }

  function wait(bytes: number, gone: AbortSignal): Promise<Hold> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        admit: (held) => {
          leave();
          resolve(held);
        },
      };
      const giveUp = () => {
        leave();
        reject(overloaded());
        admitWaiting();
      };
      const leave = () => {
        waiting.delete(waiter);
        clearTimeout(timer);
        gone.removeEventListener('abort', giveUp);
      };
      const timer = setTimeout(giveUp, waitMs);
      gone.addEventListener('abort', giveUp);
      waiting.add(waiter);
    });
  }

  return {
    take(bytes, gone) {
      if (waiting.size === 0 && bytes <= free) return hold(bytes);
      if (waiting.size >= maxWaiting) throw overloaded();
      return wait(bytes, gone());
    },
  };
}

function overloaded(): Problem {
  return new Problem('overloaded', 'Other requests have to be worked through first. Send the same request again.');
}
