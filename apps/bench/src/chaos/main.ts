import { randomInt } from 'node:crypto';
import { choosePaint, createLiveScreen, type LiveScreen, type Paint } from '@driftwire/terminal';
import { describeProblem, INTERRUPTED, type Invocation, MISUSED } from '../stack/invocation.js';
import { runChaos } from './chaos.js';
import { type ChaosCommand, parseChaosCommand } from './command-line.js';
import { readSettings } from './settings.js';
import { canFindSocketOwners } from './socket-owner.js';
import { USAGE } from './usage.js';

type Stage = { screen: LiveScreen; paint: Paint };

/** `npm run chaos`, from its arguments to its exit code. */
export async function main(invocation: Invocation): Promise<number> {
  const { stdout, stderr, env, args, stop } = invocation;
  const screen = createLiveScreen(stdout, stderr);
  const paint = choosePaint({ isTTY: stdout.isTTY === true && stderr.isTTY === true, env });
  try {
    return await obey(invocation, parseChaosCommand(args), { screen, paint });
  } catch (error) {
    if (stop.aborted) return INTERRUPTED;
    screen.complain(paint('red', describeProblem(error)));
    return 1;
  }
}

async function obey(invocation: Invocation, command: ChaosCommand, { screen, paint }: Stage): Promise<number> {
  if (command.kind === 'help') screen.say(USAGE);
  if (command.kind === 'misuse') screen.complain(command.problem);
  if (command.kind !== 'run') return command.kind === 'help' ? 0 : MISUSED;
  const { root, stop, stdout } = invocation;
  stop.addEventListener('abort', () => screen.say('Stopping'));
  const canFindSenders = canFindSocketOwners();
  const settings = readSettings(command, { root, randomSeed: randomInt(2 ** 31), canFindSenders });
  if (!canFindSenders)
    screen.say('No poison event on this system: it does not tell which process a connection belongs to');
  const violations = await runChaos({ settings, root, screen, isTerminal: stdout.isTTY === true, paint, stop });
  return violations.length === 0 ? 0 : 1;
}
