import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';

export type DemoCommand =
  | { kind: 'run'; keep: boolean; verbose: boolean }
  | { kind: 'help' }
  /** One line: what is wrong with the arguments. */
  | { kind: 'misuse'; problem: string };

export const USAGE = `npm run demo [-- --keep] [-- --verbose]

Starts a Driftwire of its own (also beside a running npm start), finds drift in four years of daily weather, posts it as
drift events, and delivers them to three local receivers: a healthy one, one that fails twice, one that always fails.
Prints each delivery's story; exits non-zero if any of them is wrong. Nothing is left behind.

  --keep      stay up afterwards, for a look at the dashboard; Ctrl-C ends it
  --verbose   show what the API and the worker log`;

export function parseDemoCommand(args: string[]): DemoCommand {
  try {
    const { values } = parseArgs({
      args,
      options: {
        keep: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values.help ? { kind: 'help' } : { kind: 'run', keep: values.keep, verbose: values.verbose };
  } catch (error) {
    const [sentence] = (isNativeError(error) ? error.message : `${error}`).split(/\.\s/);
    return { kind: 'misuse', problem: `${sentence} (see npm run demo -- --help)` };
  }
}
