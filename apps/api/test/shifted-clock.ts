/** The environment of a process whose clock is off by so much; its monotonic clock is right, like that of any such host. */
export function shiftedClock(ms: number): { NODE_OPTIONS: string } {
  const code = `
    const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...given) { given.length === 0 ? super(Right.now() + ${ms}) : super(...given); }
      static now() { return Right.now() + ${ms}; }
    };`;
  return imported(code);
}

/** And of one whose monotonic clock falls behind by a minute with every SIGUSR2, as if its host had been suspended for that long. */
export function suspendableClock(): { NODE_OPTIONS: string } {
  return imported(`
    const now = performance.now.bind(performance);
    let suspendedMs = 0;
    performance.now = () => now() - suspendedMs;
    process.on('SIGUSR2', () => { suspendedMs += 60_000; });`);
}

function imported(code: string): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
