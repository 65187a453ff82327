import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';
import { wholeNumber } from '../stack/number-options.js';

export type FuzzRun = { kind: 'run'; requests: number; seed: number | undefined; keep: boolean };

/** `misuse` is one line: what is wrong with the arguments. */
export type FuzzCommand = FuzzRun | { kind: 'help' } | { kind: 'misuse'; problem: string };

const OPTIONS = {
  requests: { type: 'string', default: '20000' },
  seed: { type: 'string' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export function parseFuzzCommand(args: string[]): FuzzCommand {
  try {
    const { requests, seed, keep, help } = parseArgs({ args, options: OPTIONS }).values;
    if (help) return { kind: 'help' };
    return {
      kind: 'run',
      requests: wholeNumber('requests', requests, { least: 1, most: 10_000_000 }),
      seed: seed === undefined ? undefined : wholeNumber('seed', seed, { least: 0, most: 2 ** 31 - 1 }),
      keep,
    };
  } catch (error) {
    const [sentence] = (isNativeError(error) ? error.message : `${error}`).split(/\.\s/);
    return { kind: 'misuse', problem: `${sentence} (see npm run fuzz -- --help)` };
  }
}
