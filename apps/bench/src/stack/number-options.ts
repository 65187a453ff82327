/** Numbers as people type them; anything else throws the one line that says so. */
export function wholeNumber(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new Error(`--${name} must be a whole number from ${least} to ${most}, not '${text}'`);
}

export function positiveNumber(name: string, text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number > 0 && number <= 100_000) return number;
  throw new Error(`--${name} must be a number above 0, not '${text}'`);
}
