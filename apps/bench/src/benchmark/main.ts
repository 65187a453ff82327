import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { choosePaint, createLiveScreen, type LiveScreen, type Paint } from '@driftwire/terminal';
import { describeCheckout, findMissingFile } from '../stack/checkout.js';
import { describeProblem, INTERRUPTED, type Invocation, MISUSED } from '../stack/invocation.js';
import { describeMachine, type Machine, writeMachine } from '../stack/machine.js';
import { type Benches, withBench } from './bench.js';
import { type BenchRun, parseBenchCommand, USAGE } from './command-line.js';
import { type CostRun, measureCost } from './cost.js';
import { partsOf, writeCost } from './cost-report.js';
import { measureDepth } from './depth.js';
import { writeDepth } from './depth-report.js';
import { measureIsolation } from './isolation.js';
import { writeIsolation } from './isolation-report.js';
import { measureLatency, writeLatency } from './latency.js';
import { profileInto, writePartProfiles, writeProfiles } from './profiles.js';
import { measureScale, writeScale } from './scale.js';
import { measureSoak, writeSoak } from './soak.js';
import { measureThroughput } from './throughput.js';
import { writeThroughput } from './throughput-report.js';

type Stage = { screen: LiveScreen; paint: Paint; isTerminal: boolean; root: string; stop: AbortSignal };

/** `npm run bench`, from its arguments to its exit code. */
export async function main({ args, env, root, stdout, stderr, stop }: Invocation): Promise<number> {
  const screen = createLiveScreen(stdout, stderr);
  const isTerminal = stdout.isTTY === true;
  const paint = choosePaint({ isTTY: isTerminal && stderr.isTTY === true, env });
  const command = parseBenchCommand(args);
  if (command.kind === 'help') screen.say(USAGE);
  if (command.kind === 'misuse') screen.complain(command.problem);
  if (command.kind !== 'run') return command.kind === 'help' ? 0 : MISUSED;
  if (process.platform !== 'linux') {
    screen.complain('npm run bench needs Linux: it reads from /proc what each process uses');
    return MISUSED;
  }
  const missing = command.checkouts.map((directory) => findMissingFile(resolve(root, directory))).find(Boolean);
  if (missing !== undefined) {
    screen.complain(`there is no ${missing}: --checkout takes the top directory of a Driftwire that is built`);
    return MISUSED;
  }
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
  switch (command.scenario) {
    case 'throughput':
      return measureAndReport(command, stage, { measure: measureThroughput, write: writeThroughput });
    case 'cost': {
      const roots = command.checkouts.length === 0 ? ['.'] : command.checkouts;
      const checkouts = roots.map((directory) => describeCheckout(resolve(stage.root, directory)));
      const measure = (benches: Benches) => measureCost(benches, command, checkouts);
      const profile = (directory: string, runs: readonly CostRun[]) => writePartProfiles(directory, partsOf(runs));
      return measureAndReport(command, stage, { measure, write: writeCost, profile });
    }
    case 'latency':
      return measureAndReport(command, stage, { measure: measureLatency, write: writeLatency });
    case 'isolation':
      return measureAndReport(command, stage, { measure: measureIsolation, write: writeIsolation });
    case 'depth':
      return measureAndReport(command, stage, { measure: measureDepth, write: writeDepth });
    case 'soak':
      return measureAndReport(command, stage, { measure: measureSoak, write: writeSoak });
    case 'scale':
      return measureAndReport(command, stage, { measure: measureScale, write: writeScale });
  }
}

type Measure<Run> = {
  measure: (benches: Benches, command: BenchRun) => Promise<Run>;
  write: (runs: readonly Run[], paint: Paint) => string;
  /** Who used the processor, where it is not all there is in the profiles. */
  profile?: (directory: string, runs: readonly Run[]) => string;
};

/** Measures as often as told, and writes down and says what came out. */
async function measureAndReport<Run>(
  command: BenchRun,
  { screen, paint, root, stop: signal, isTerminal }: Stage,
  { measure, write, profile = writeProfiles }: Measure<Run>,
): Promise<void> {
  const profiles = resolve(root, `reports/profiles-${command.scenario}`);
  const place = { root, signal, say: screen.say, ...(command.profile ? profileInto(profiles) : {}) };
  const runs: Run[] = [];
  let machine: Machine | undefined;
  for (let number = 1; number <= command.runs; number += 1) {
    const benches: Benches = {
      stop: signal,
      ...narrate({ screen, isTerminal, stop: signal }, `${number}/${command.runs}`),
      withBench: (size, use) =>
        withBench(place, { ...size, keep: command.keep }, async (bench) => {
          machine ??= await describeMachine(bench.stack);
          return use(bench);
        }),
    };
    runs.push(await measure(benches, command));
  }
  if (machine === undefined) return;
  screen.settle();
  screen.say(`\n${write(runs, paint)}\n\n${paint('dim', `${writeMachine(machine)}\n${writeSettings(command)}`)}`);
  if (command.profile) screen.say(`Who used the processor:\n${profile(profiles, runs)}\n`);
  const file = resolve(root, command.report ?? `reports/bench-${command.scenario}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine, settings: command, runs }, null, 2)}\n`);
  screen.say(`Report: ${file}`);
}

function writeSettings({ scenario, runs, events, receivers, workers, perRequest, requestsAtOnce }: BenchRun): string {
  if (scenario === 'cost' || scenario === 'isolation') return `1 API, ${workers} workers, medians of ${runs} runs`;
  return `${events} events to ${receivers} receivers, 1 API, ${workers} workers, ${perRequest} events a request, ${requestsAtOnce} requests at once`;
}

const BAR_CELLS = 20;

/** In place on a terminal; elsewhere a line for each thing that is begun. */
function narrate({ screen, isTerminal, stop }: Pick<Stage, 'screen' | 'isTerminal' | 'stop'>, run: string) {
  let doing = '';
  return {
    say(what: string) {
      stop.throwIfAborted();
      doing = `run ${run}: ${what}`;
      screen.update(doing);
    },
    progress(done: number, all: number) {
      stop.throwIfAborted();
      if (!isTerminal) return;
      const full = Math.min(BAR_CELLS, Math.floor((done / all) * BAR_CELLS));
      screen.update(`${doing} ${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${done}/${all}`);
    },
  };
}
