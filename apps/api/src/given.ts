type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** The fields that were given: what is undefined is left out, so that it neither filters nor overwrites. */
export function given<T extends object>(fields: T): Given<T>;
export function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
