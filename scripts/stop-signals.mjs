// @ts-check

/**
 * Aborted by the first Ctrl-C, SIGTERM or hang-up; those after it change nothing. Under npm a signal to the process group
 * arrives twice.
 *
 * @returns {AbortSignal}
 */
export function listenForStop() {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => controller.abort());
  return controller.signal;
}
