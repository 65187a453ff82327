// A machine whose clock is wrong by CLOCK_SHIFT_MS: from its start, or from a SIGUSR2 on.
const RealDate = Date;
const realNow = Date.now;
let shiftMs = process.env.CLOCK_SHIFTS === 'on SIGUSR2' ? 0 : Number(process.env.CLOCK_SHIFT_MS);
process.on('SIGUSR2', () => {
  shiftMs = Number(process.env.CLOCK_SHIFT_MS);
});

globalThis.Date = class extends RealDate {
  constructor(...instant) {
    if (instant.length === 0) super(realNow() + shiftMs);
    else super(...instant);
  }
  static now() {
    return realNow() + shiftMs;
  }
};
