/** An answer, and whether it is that of an equal call that was underway. */
export type Folded<T> = { answer: T; isTwin: boolean };

/** Runs one of several equal calls that overlap; the others share its answer, or its failure. */
export function createFold<T>(): (key: string, run: () => Promise<T>) => Promise<Folded<T>> {
  const underway = new Map<string, Promise<T>>();

  return async (key, run) => {
    const first = underway.get(key);
    if (first !== undefined) return { answer: await first, isTwin: true };
    const running = run().finally(() => underway.delete(key));
    underway.set(key, running);
    return { answer: await running, isTwin: false };
  };
}
