/** For `NODE_OPTIONS` of a process: what is in `preloads/<name>.mjs` runs before its program does. */
export function preload(name: string): string {
  return `--import=${new URL(`./preloads/${name}.mjs`, import.meta.url)}`;
}
