/** Room for a number of deliveries at once. Whoever finds none waits in line. */
export type Places = {
  /** Answers when there is a place; false when no more are given, because everything is about to end. */
  take: () => Promise<boolean>;
  give: () => void;
  /** Free places for which nobody waits. */
  room: () => number;
  /** Answers when a place was given back, or when no more are given. */
  change: () => Promise<void>;
  close: () => void;
};

export function createPlaces(total: number): Places {
  const line: ((isPlace: boolean) => void)[] = [];
  let onChange: (() => void)[] = [];
  let free = total;
  let isClosed = false;

  function tell(): void {
    const told = onChange;
    onChange = [];
    for (const tellOne of told) tellOne();
  }

  return {
    async take() {
      if (isClosed) return false;
      if (free === 0) return new Promise((resolve) => line.push(resolve));
      free -= 1;
      return true;
    },
    give() {
      const next = line.shift();
      if (next === undefined) free += 1;
      else next(true);
      tell();
    },
    room: () => free - line.length,
    change: () => (isClosed ? Promise.resolve() : new Promise((resolve) => onChange.push(resolve))),
    close() {
      isClosed = true;
      for (const leave of line.splice(0)) leave(false);
      tell();
    },
  };
}
