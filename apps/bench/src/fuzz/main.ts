import { randomInt } from 'node:crypto';
import { choosePaint, createLiveScreen, type LiveScreen, type Paint } from '@driftwire/terminal';
import { describeProblem, INTERRUPTED, type Invocation, MISUSED } from '../stack/invocation.js';
import { withRunDirectory } from '../stack/run-directory.js';
import { type Stack, withStack } from '../stack/stack.js';
import { type FuzzRun, parseFuzzCommand } from './command-line.js';
import { fuzz } from './fuzz.js';
import { neverSuccessful, writeFinding, writeStatuses } from './report.js';
import { USAGE } from './usage.js';

type Stage = { screen: LiveScreen; paint: Paint };

/** With so many requests every operation has had a fair chance of a good one. */
const ENOUGH_FOR_ALL = 5_000;
/** Endpoint tests against addresses where nobody answers must not hold up the run. */
const REQUEST_TIMEOUT_MS = 1_000;

/** `npm run fuzz`, from its arguments to its exit code. */
export async function main(invocation: Invocation): Promise<number> {
  const { stdout, stderr, env, args, stop } = invocation;
  const screen = createLiveScreen(stdout, stderr);
  const paint = choosePaint({ isTTY: stdout.isTTY === true && stderr.isTTY === true, env });
  const command = parseFuzzCommand(args);
  if (command.kind === 'help') screen.say(USAGE);
  if (command.kind === 'misuse') screen.complain(command.problem);
  if (command.kind !== 'run') return command.kind === 'help' ? 0 : MISUSED;
  try {
    return (await run(invocation, command, { screen, paint })) ? 0 : 1;
  } catch (error) {
    if (stop.aborted) return INTERRUPTED;
    screen.complain(paint('red', describeProblem(error)));
    return 1;
  }
}

async function run(invocation: Invocation, command: FuzzRun, { screen, paint }: Stage): Promise<boolean> {
  const { root, stop: signal, stdout } = invocation;
  const { requests, keep, seed = randomInt(2 ** 31) } = command;
  const { say } = screen;
  say(`Seed ${seed}`);
  const env = { REQUEST_TIMEOUT_MS: `${REQUEST_TIMEOUT_MS}` };
  return withRunDirectory(keep, say, async (directory) => {
    const isClean = await withStack({ root, directory, apis: 1, workers: 1, env, signal, say }, async (stack) => {
      const progress = (done: number, all: number) => {
        if (stdout.isTTY === true) screen.update(`${done}/${all} requests`);
      };
      const result = await fuzz(stack, { requests, seed, signal, progress });
      screen.settle();
      say(`\n${writeStatuses(result, paint)}\n`);
      const problems = [
        ...result.findings.map(writeFinding),
        ...deathsIn(stack),
        ...(requests < ENOUGH_FOR_ALL ? [] : neverSuccessful(result).map((id) => `${id} never succeeded`)),
      ];
      for (const problem of problems) screen.complain(paint('red', problem));
      say(
        `${result.sent} requests, ${problems.length === 0 ? 'nothing found' : `${problems.length} findings`} (seed ${seed})`,
      );
      return problems.length === 0;
    });
    return { result: isClean, isWorthKeeping: !isClean };
  });
}

/** Nobody has been told to end yet. */
function deathsIn({ exits }: Stack): string[] {
  return exits.map((exit) => `a process ended: ${JSON.stringify(exit)}`);
}
