/** How many of these times, which ascend, lie within any span of so many milliseconds, its end left out. */
export function mostWithin(times: readonly number[], spanMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[first] as number) >= spanMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
