/**
 * Room for a number of requests at once. A delivery gives its place back when its answer is there, not when that is on record, so
 * that what waits to be recorded keeps nobody waiting and shares statements; but no more of them than there are places. Whoever
 * finds no room waits in line.
 */
export type Places = {
  /** Answers when there is a place; null when no more are given, because everything is about to end. */
  take: () => Promise<Place | null>;
  /** Deliveries that would find a place now. */
  room: () => number;
  /** Deliveries that have taken a place and not come to their end. */
  unfinished: () => number;
  /** Answers when there may be more room, or when no more places are given. */
  change: () => Promise<void>;
  close: () => void;
};

/** Each is said once or not at all. */
export type Place = {
  /** The request is over; what it came to is not on record yet. */
  vacate: () => void;
  /** The delivery has come to its end here. Includes `vacate`. */
  leave: () => void;
};

export function mostUnfinished(places: number): number {
  return 2 * places;
}

export function createPlaces(total: number): Places {
  const line: ((place: Place | null) => void)[] = [];
  let onChange: (() => void)[] = [];
  let taken = 0;
  let unfinished = 0;
  let isClosed = false;

  function room(): number {
    return Math.min(total - taken, mostUnfinished(total) - unfinished) - line.length;
  }

  function occupy(): Place {
    taken += 1;
    unfinished += 1;
    let isTaken = true;
    const vacate = () => {
      if (!isTaken) return;
      isTaken = false;
      taken -= 1;
      admit();
    };
    const leave = () => {
      unfinished -= 1;
      vacate();
      admit();
    };
    return { vacate, leave };
  }

  function admit(): void {
    while (line.length > 0 && room() + line.length > 0) line.shift()?.(occupy());
    tell();
  }

  function tell(): void {
    const told = onChange;
    onChange = [];
    for (const tellOne of told) tellOne();
  }

  return {
    async take() {
      if (isClosed) return null;
      if (room() > 0) return occupy();
      return new Promise((resolve) => line.push(resolve));
    },
    room,
    unfinished: () => unfinished,
    change: () => (isClosed ? Promise.resolve() : new Promise((resolve) => onChange.push(resolve))),
    close() {
      isClosed = true;
      for (const turnAway of line.splice(0)) turnAway(null);
      tell();
    },
  };
}
