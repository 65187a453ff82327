import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { CannotStart } from '@driftwire/local-servers';
import { choosePaint, createLiveScreen, type LiveScreen, type Output, type Paint } from '@driftwire/terminal';
import { describeMachine, type Machine, writeMachine } from '../stack/machine.js';
import { withRunDirectory } from '../stack/run-directory.js';
import { type Stack, withStack } from '../stack/stack.js';
import { type BenchRun, parseBenchCommand, USAGE } from './command-line.js';
import { type CpuProfile, type Share, shareByOwner } from './cpu-profile.js';
import { type Receivers, startReceivers } from './receivers.js';
import { measureThroughput, type Narrator, type ThroughputRun } from './throughput.js';
import { writeThroughput } from './throughput-report.js';

export type BenchInvocation = {
  args: string[];
  env: Record<string, string | undefined>;
  /** The project's top directory. */
  root: string;
  stdout: Output;
  stderr: Output;
  /** Told to stop. */
  stop: AbortSignal;
};

type Stage = { screen: LiveScreen; paint: Paint; isTerminal: boolean; root: string; stop: AbortSignal };

const INTERRUPTED = 130;
const MISUSED = 2;

/** `npm run bench`, from its arguments to its exit code. */
export async function main({ args, env, root, stdout, stderr, stop }: BenchInvocation): Promise<number> {
  const screen = createLiveScreen(stdout, stderr);
  const isTerminal = stdout.isTTY === true;
  const paint = choosePaint({ isTTY: isTerminal && stderr.isTTY === true, env });
  const command = parseBenchCommand(args);
  if (command.kind === 'help') screen.say(USAGE);
  if (command.kind === 'misuse') screen.complain(command.problem);
  if (command.kind !== 'run') return command.kind === 'help' ? 0 : MISUSED;
  stop.addEventListener('abort', () => screen.say('Stopping'));
  try {
    await benchmark(command, { screen, paint, isTerminal, root, stop });
    return 0;
  } catch (error) {
    if (stop.aborted) return INTERRUPTED;
    screen.complain(paint('red', describeProblem(error)));
    return 1;
  }
}

async function benchmark(command: BenchRun, stage: Stage): Promise<void> {
  const { screen, paint, root } = stage;
  const runs: ThroughputRun[] = [];
  let machine: Machine | undefined;
  for (let number = 1; number <= command.runs; number += 1) {
    await withBench(command, stage, async (bench) => {
      machine ??= await describeMachine(bench.stack);
      runs.push(await measureThroughput(bench, command, narrate(stage, `${number}/${command.runs}`)));
    });
  }
  if (machine === undefined) return;
  const settings = `${command.events} events to ${command.receivers} receivers, ${command.workers} workers, 1 API, ${command.perRequest} events a request, ${command.requestsAtOnce} requests at once`;
  screen.say(`\n${writeThroughput(runs, paint)}\n\n${paint('dim', `${writeMachine(machine)}\n${settings}`)}`);
  const file = resolve(root, command.report ?? `reports/bench-${command.scenario}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine, settings: command, runs }, null, 2)}\n`);
  if (command.profile) screen.say(`Who used the processor:\n${writeProfiles(command, root)}\n`);
  screen.say(`Report: ${file}`);
}

async function withBench(
  command: BenchRun,
  { screen, root, stop: signal }: Stage,
  use: (bench: { stack: Stack; receivers: Receivers }) => Promise<void>,
): Promise<void> {
  const { workers, receivers: count, keep } = command;
  const receivers = await startReceivers(count);
  try {
    await withRunDirectory(keep, screen.say, async (directory) => {
      const options = {
        root,
        directory,
        signal,
        say: screen.say,
        apis: 1,
        workers,
        env: {},
        ...profiling(command, root),
      };
      await withStack(options, (stack) => use({ stack, receivers }));
      return { result: undefined, isWorthKeeping: false };
    });
  } finally {
    await receivers.close();
  }
}

function profileDirectory({ scenario }: BenchRun, root: string): string {
  return resolve(root, `reports/profiles-${scenario}`);
}

/** A process writes its profile when it ends by itself. */
function profiling(command: BenchRun, root: string) {
  if (!command.profile) return {};
  const directory = profileDirectory(command, root);
  const nodeArgs = (name: string) => [
    '--cpu-prof',
    `--cpu-prof-dir=${directory}`,
    `--cpu-prof-name=${name}.cpuprofile`,
  ];
  return { nodeArgs, endSignal: 'SIGTERM' as const };
}

function writeProfiles(command: BenchRun, root: string): string {
  return ['api-1', 'worker-1']
    .map((name) => {
      const file = join(profileDirectory(command, root), `${name}.cpuprofile`);
      const shares = shareByOwner(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile);
      return `${name}: ${shares.slice(0, SHOWN_OWNERS).map(writeShare).join(', ')}`;
    })
    .join('\n');
}

const SHOWN_OWNERS = 14;

function writeShare({ owner, share }: Share): string {
  return `${owner} ${(share * 100).toFixed(1)} %`;
}

const BAR_CELLS = 20;

/** In place on a terminal; elsewhere a line for each thing that is begun. */
function narrate({ screen, isTerminal, stop }: Stage, run: string): Narrator {
  let doing = '';
  return {
    say(what) {
      stop.throwIfAborted();
      doing = `run ${run}: ${what}`;
      screen.update(doing);
    },
    progress(done, all) {
      stop.throwIfAborted();
      if (!isTerminal) return;
      const full = Math.min(BAR_CELLS, Math.floor((done / all) * BAR_CELLS));
      screen.update(`${doing} ${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${done}/${all}`);
    },
  };
}

function describeProblem(error: unknown): string {
  if (error instanceof CannotStart) return error.message;
  return isNativeError(error) ? `${error.stack}` : `${error}`;
}
