import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';
import { positiveNumber, wholeNumber } from '../stack/number-options.js';
import { COST_SCENES } from './cost-scenes.js';
import { ISOLATION_SCENES } from './isolation-scenes.js';

export const SCENARIOS = ['throughput', 'cost', 'latency', 'isolation', 'scale', 'depth', 'soak'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export type BenchRun = {
  kind: 'run';
  scenario: Scenario;
  events: number;
  receivers: number;
  workers: number;
  perRequest: number;
  requestsAtOnce: number;
  runs: number;
  /** Of cost: how often each scene is measured in a run. */
  turns: number;
  /** Of a soak. */
  minutes: number;
  /** Of depth: deliveries in the tables, and jobs that wait. */
  rows: number;
  waiting: number;
  /** Of cost: what of it, and the built checkouts whose programs are measured; none is this one. */
  only: readonly string[];
  checkouts: string[];
  /** Of isolation: what happens beside. */
  scenes: readonly string[];
  report: string | undefined;
  keep: boolean;
  profile: boolean;
};

/** `misuse` is one line: what is wrong with the arguments. */
export type BenchCommand = BenchRun | { kind: 'help' } | { kind: 'misuse'; problem: string };

const SCENE_NAMES = ISOLATION_SCENES.map(({ name }) => name);

const OPTIONS = {
  events: { type: 'string', default: '10000' },
  receivers: { type: 'string', default: '4' },
  workers: { type: 'string', default: '1' },
  batch: { type: 'string', default: '50' },
  'at-once': { type: 'string', default: '4' },
  runs: { type: 'string' },
  turns: { type: 'string', default: '2' },
  minutes: { type: 'string', default: '7' },
  rows: { type: 'string', default: '10000000' },
  waiting: { type: 'string', default: '1000000' },
  only: { type: 'string', default: COST_SCENES.join() },
  checkout: { type: 'string', multiple: true },
  scenes: { type: 'string', default: SCENE_NAMES.join() },
  report: { type: 'string' },
  keep: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const USAGE = `npm run bench -- <scenario> [options]

Starts a Driftwire of its own (Postgres, Redis, one API, workers), measures it, and leaves nothing behind but the report.
Every receiver counts what it got: a run with a delivery that is lost or not on record fails.

  throughput      events to receivers as fast as they go; beside it, in the same run, a textbook worker and bare got
  cost            processor time a delivery of every process over that of bare got, from 8 callers to 50 events/s; memory
                  and processor at rest (three minutes a run; has its own events, receivers and batches)
  latency         single events at 10/s, 100/s and 30 % of what it can
  isolation       healthy customers beside receivers that crawl, hang, are down or get a flood, and alone; Redis away; a million
                  held (${minutesOf(ISOLATION_SCENES)} minutes a run; has its own events and receivers)
  scale           1, 2, 4 and 8 workers, against receivers that take 100 ms
  depth           deliveries and lists with 10 million deliveries in the tables, and with a million jobs waiting
  soak            minutes at 70 % of what it can; what should be flat

  --events N      drift events to post (10000)
  --receivers M   endpoints that each event goes to (4)
  --workers W     worker processes (1; scale has its own)
  --batch N       events in one request (50)
  --at-once N     requests to the API at once (4)
  --minutes N     how long a soak takes, two minutes of warm-up included (7)
  --rows N        deliveries that depth fills the tables with (10000000, which take 20 GB)
  --waiting N     deliveries that depth lets wait (1000000)
  --runs N        repeats everything, on fresh databases, and gives the medians (1; cost 3)
  --turns N       of cost how often a run measures each scene (2); checkouts are compared turn by turn
  --only A,B      of cost only these: ${COST_SCENES.join(', ')}
  --checkout DIR  of cost the API and worker of that built checkout; more than one are measured in turn (this one)
  --scenes A,B    of isolation only these, which take so many minutes:
${ISOLATION_SCENES.map(writeScene).join('\n')}
  --report FILE   where the JSON report goes (reports/bench-<scenario>.json)
  --profile       also say who used the processor in API and workers, of cost for each scene (slower; profiles go beside the
                  report; of several runs the last)
  --keep          keep databases and logs`;

export function parseBenchCommand(args: string[]): BenchCommand {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    return values.help ? { kind: 'help' } : readRun(values, positionals);
  } catch (error) {
    const [sentence] = (isNativeError(error) ? error.message : `${error}`).split(/\.\s/);
    return { kind: 'misuse', problem: `${sentence} (see npm run bench -- --help)` };
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function readRun(values: Values, [scenario, ...more]: string[]): BenchRun {
  const { checkout: checkouts = [] } = values;
  if (values.profile && checkouts.length > 1) throw new Error('--profile looks at one --checkout at a time');
  if (more.length > 0) throw new Error(`one scenario at a time, not also '${more[0]}'`);
  return {
    kind: 'run',
    scenario: readScenario(scenario),
    events: wholeNumber('events', values.events, { least: 1, most: 10_000_000 }),
    receivers: wholeNumber('receivers', values.receivers, { least: 1, most: 50 }),
    workers: wholeNumber('workers', values.workers, { least: 1, most: 32 }),
    perRequest: wholeNumber('batch', values.batch, { least: 1, most: 1_000 }),
    requestsAtOnce: wholeNumber('at-once', values['at-once'], { least: 1, most: 1_000 }),
    runs: wholeNumber('runs', values.runs ?? (scenario === 'cost' ? '3' : '1'), { least: 1, most: 100 }),
    turns: wholeNumber('turns', values.turns, { least: 1, most: 100 }),
    minutes: positiveNumber('minutes', values.minutes),
    rows: wholeNumber('rows', values.rows, { least: 100_000, most: 1_000_000_000 }),
    waiting: wholeNumber('waiting', values.waiting, { least: 1, most: 100_000_000 }),
    only: values.only.split(',').map(readCostScene),
    checkouts,
    scenes: values.scenes.split(',').map(readIsolationScene),
    report: values.report,
    keep: values.keep,
    profile: values.profile,
  };
}

function readScenario(name: string | undefined): Scenario {
  const known = SCENARIOS.find((scenario) => scenario === name);
  if (known) return known;
  const given = name === undefined ? 'which scenario' : `no scenario '${name}'`;
  throw new Error(`${given}: there is ${SCENARIOS.join(', ')}`);
}

function readCostScene(name: string): string {
  if (COST_SCENES.includes(name)) return name;
  throw new Error(`nothing of cost is called '${name}': there is ${COST_SCENES.join(', ')}`);
}

function readIsolationScene(name: string): string {
  if (SCENE_NAMES.includes(name)) return name;
  throw new Error(`no scene of isolation is called '${name}': there is ${SCENE_NAMES.join(', ')}`);
}

function minutesOf(scenes: typeof ISOLATION_SCENES): number {
  return scenes.reduce((sum, { minutes }) => sum + minutes, 0);
}

function writeScene({ name, title, minutes }: (typeof ISOLATION_SCENES)[number]): string {
  return `                  ${name.padEnd(12)}${minutes}  ${title}`;
}
