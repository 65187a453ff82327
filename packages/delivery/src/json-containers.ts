const MAX_DEPTH = 64;
/** Root, batch, event and its `data`: nobody cuts a value from any deeper. */
const REMEMBERED_DEPTH = 4;
/** Shorter containers are walked again as fast as they are looked up. */
const REMEMBERED_LENGTH = 64;

/** Where the long outer containers end, by where they start: a walk over their siblings need not enter them. */
export type ContainerEnds = ReadonlyMap<number, number>;

type Container = {
  start: number;
  isObject: boolean;
  keys: Set<string>;
  key: string;
  index: number;
  awaitsKey: boolean;
};

/**
 * The objects and arrays a scan is inside of. Containers are kept per depth and used again, so that a text with a
 * million small objects costs at most 64 of them. Methods that can refuse answer with what is wrong, or null.
 */
export class OpenContainers {
  readonly ends = new Map<number, number>();
  readonly #containers: Container[] = [];
  #depth = 0;

  enter(start: number, isObject: boolean): string | null {
    if (this.#depth === MAX_DEPTH) return `The text is nested deeper than ${MAX_DEPTH} levels.`;
    const container = this.#containers[this.#depth] ?? emptyContainer();
    this.#containers[this.#depth] = container;
    if (container.keys.size > 0) container.keys.clear();
    container.start = start;
    container.isObject = isObject;
    container.awaitsKey = isObject;
    container.key = '';
    container.index = 0;
    this.#depth += 1;
    return null;
  }

  leave(end: number): void {
    const container = this.#innermost();
    if (!container) return;
    const isRemembered = this.#depth <= REMEMBERED_DEPTH && end - container.start > REMEMBERED_LENGTH;
    if (isRemembered) this.ends.set(container.start, end);
    this.#depth -= 1;
  }

  /** A comma: the next member or item begins. */
  next(): void {
    const container = this.#innermost();
    if (!container) return;
    container.awaitsKey = container.isObject;
    container.index += 1;
  }

  awaitsKey(): boolean {
    return this.#innermost()?.awaitsKey ?? false;
  }

  /** Names the member that begins here. */
  name(key: string): string | null {
    const container = this.#innermost();
    if (!container) return null;
    container.key = key;
    container.awaitsKey = false;
    if (container.keys.has(key)) return 'The key occurs twice in its object.';
    container.keys.add(key);
    return null;
  }

  /** The JSON pointer (RFC 6901) of where the scan is. */
  pointer(): string {
    const steps = this.#containers.slice(0, this.#depth).filter((container) => !isBeforeFirstKey(container));
    return steps.map((container) => `/${stepOf(container)}`).join('');
  }

  #innermost(): Container | undefined {
    return this.#containers[this.#depth - 1];
  }
}

function emptyContainer(): Container {
  return { start: 0, isObject: false, keys: new Set(), key: '', index: 0, awaitsKey: false };
}

function isBeforeFirstKey(container: Container): boolean {
  return container.isObject && container.awaitsKey;
}

function stepOf({ isObject, key, index }: Container): string {
  return isObject ? key.replaceAll('~', '~0').replaceAll('/', '~1') : String(index);
}
