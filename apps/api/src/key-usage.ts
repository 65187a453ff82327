export type KeyUsage = {
  note: (keyId: string) => void;
  /** Stores what was noted since the last time; a use that cannot be stored is forgotten, the next one will do. */
  flush: () => Promise<void>;
};

/** Remembers when keys were used, so that a request costs nothing and a busy key one row in a statement of all. */
export function createKeyUsage(store: (uses: ReadonlyMap<string, Date>) => Promise<void>, now: () => Date): KeyUsage {
  let uses = new Map<string, Date>();
  return {
    note: (keyId) => void uses.set(keyId, now()),
    flush: async () => {
      if (uses.size === 0) return;
      const noted = uses;
      uses = new Map();
      await store(noted);
    },
  };
}
