/** The environment of a process whose clock is off by so much; its monotonic clock is right, like that of any such host. */
export function shiftedClock(ms: number): { NODE_OPTIONS: string } {
  const code = `
    const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...given) { given.length === 0 ? super(Right.now() + ${ms}) : super(...given); }
      static now() { return Right.now() + ${ms}; }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
