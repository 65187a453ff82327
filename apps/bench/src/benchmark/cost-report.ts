import { createTable, type Paint } from '@driftwire/terminal';
import type { CostRun, Side, TurnCost } from './cost.js';
import type { ByProcess } from './cost-players.js';
import { FLOOD_SCENES, type Goal, IDLE, REST } from './cost-scenes.js';
import { HOUSEHOLD_KINDS } from './household.js';
import { type ByMember, IDLE_EVENTS } from './idle.js';
import type { Part } from './profiles.js';
import { median, medianInterval } from './quantiles.js';

/** What a scene came to in one turn. */
export type TurnFigures = ByProcess & { together: number; bare: number; ratio: number };

export function figuresOf({ cpuMs, bareMs }: Pick<TurnCost, 'cpuMs' | 'bareMs'>): TurnFigures {
  const together = sumOf(cpuMs);
  return { ...cpuMs, together, bare: bareMs, ratio: together / bareMs };
}

/**
 * For each checkout what a delivery costs and what Driftwire takes by being there, and what the first costs over each of the
 * others. Every figure is a median of all turns.
 */
export function writeCost(runs: readonly CostRun[], paint: Paint): string {
  const columns = (runs[0]?.sides ?? []).map(({ checkout }, index) => ({
    checkout,
    sides: runs.flatMap(({ sides }) => sides[index] ?? []),
  }));
  const [first, ...others] = columns;
  if (first === undefined) return '';
  return [
    ...columns.map(({ checkout, sides }) => [
      checkout,
      writeScenes(sides, paint),
      writeReceipt(sides, paint),
      writeIdle(sides, paint),
    ]),
    ...others.map(({ checkout, sides }) => [
      `${first.checkout} ÷ ${checkout}`,
      writeComparison({ sides: first.sides, others: sides }, paint),
    ]),
  ]
    .map(([title = '', ...tables]) => [paint('bold', title), ...tables.filter((table) => table !== '')].join('\n\n'))
    .join('\n\n\n');
}

/** The scenes of the last run, whose profiles are there, for who used the processor in them. */
export function partsOf(runs: readonly CostRun[]): Part[] {
  const sides = runs.at(-1)?.sides ?? [];
  return SCENES.flatMap(({ name, title }) => {
    const turns = turnsOf(sides, name);
    if (turns.length === 0) return [];
    const middle = (process: 'api' | 'worker') => median(turns.map(({ cpuMs }) => cpuMs[process]));
    const windows = turns.map(({ window }) => window);
    return [{ title, windows, cpuMs: { api: middle('api'), worker: middle('worker') } }];
  });
}

/** Of figures that were taken one after the other, since machines change their speed. `within`: the 95 % interval of `together`. */
export function compare(
  turns: readonly TurnCost[],
  others: readonly TurnCost[],
): TurnFigures & { within: ReturnType<typeof medianInterval> } {
  const ratiosOf = (figure: keyof TurnFigures) =>
    turns.flatMap((turn, index) => {
      const other = others[index];
      return other ? [figuresOf(turn)[figure] / figuresOf(other)[figure]] : [];
    });
  const middle = (figure: keyof TurnFigures) => middleRatio(ratiosOf(figure));
  const [api, worker, postgres, redis] = [middle('api'), middle('worker'), middle('postgres'), middle('redis')];
  const [together, bare, ratio] = [middle('together'), middle('bare'), middle('ratio')];
  return { api, worker, postgres, redis, together, bare, ratio, within: medianInterval(ratiosOf('together')) };
}

/** Between the two in the middle, if there are two: the other way round it is the inverse, and favours nobody. */
function middleRatio(ratios: readonly number[]): number {
  return Math.sqrt(median(ratios) / median(ratios.map((ratio) => 1 / ratio)));
}

type Pair = { sides: readonly Side[]; others: readonly Side[] };

function writeComparison({ sides, others }: Pair, paint: Paint): string {
  if (sides.every(({ turns }) => turns.length === 0)) return '';
  const table = createTable(
    ['', '× BARE GOT >', 'CPU A DELIVERY >', '95 % >', 'API >', 'WORKER >', 'POSTGRES >', 'REDIS >'],
    paint,
  );
  for (const { name, title } of SCENES) {
    const [turns, otherTurns] = [turnsOf(sides, name), turnsOf(others, name)];
    if (turns.length === 0) continue;
    const { ratio, together, within, api, worker, postgres, redis } = compare(turns, otherTurns);
    const cells = [api, worker, postgres, redis].map(twoDigits);
    table.add([title, twoDigits(ratio), twoDigits(together), writeInterval(within), ...cells]);
  }
  return table.write();
}

const twoDigits = (figure: number) => figure.toFixed(2);

function writeInterval(interval: ReturnType<typeof medianInterval>): string {
  return interval === undefined ? '–' : `${twoDigits(interval.from)} to ${twoDigits(interval.to)}`;
}

const SCENES = [...FLOOD_SCENES, { ...REST, goal: undefined }];

function turnsOf(sides: readonly Side[], name: string): TurnCost[] {
  return sides.flatMap(({ turns }) => turns.filter(({ scene }) => scene === name));
}

function writeScenes(sides: readonly Side[], paint: Paint): string {
  if (sides.every(({ turns }) => turns.length === 0)) return '';
  const headings = ['', '× BARE GOT >', 'MUST >', 'AIM >', 'CPU ms A DELIVERY >', 'API >', 'WORKER >', 'POSTGRES >'];
  const table = createTable([...headings, 'REDIS >', 'BARE GOT >', 'DELIVERIES/S >'], paint);
  for (const { name, title, goal } of SCENES) {
    const costs = turnsOf(sides, name);
    if (costs.length === 0) continue;
    const figure = (read: (figures: TurnFigures) => number) => median(costs.map((cost) => read(figuresOf(cost))));
    const cpu = (['together', 'api', 'worker', 'postgres', 'redis', 'bare'] as const).map((process) =>
      figure((figures) => figures[process]).toFixed(3),
    );
    table.add([
      title,
      figure(({ ratio }) => ratio).toFixed(2),
      ...goalCells(goal),
      ...cpu,
      median(costs.map(({ perSecond }) => perSecond)).toFixed(0),
    ]);
  }
  return table.write();
}

function writeReceipt(sides: readonly Side[], paint: Paint): string {
  const turns = turnsOf(sides, REST.name);
  if (turns.length === 0) return '';
  const table = createTable([`request to arrival, ${REST.title}`, 'ms >', 'MUST >', 'AIM >'], paint);
  for (const quantile of ['p50', 'p99'] as const) {
    const ms = median(turns.map(({ latencyMs }) => latencyMs[quantile])).toFixed(1);
    table.add([quantile, ms, ...goalCells(REST.goal[quantile])]);
  }
  return table.write();
}

type RowFormat = { goal?: Goal; digits: number; sum: (part: ByMember) => number };

/** Driftwire's own are the API, the worker and the supervisor; while they do nothing, the servers belong to it. */
function writeIdle(sides: readonly Side[], paint: Paint): string {
  const idles = sides.flatMap(({ idle }) => idle ?? []);
  if (idles.length === 0) return '';
  const processes = ['API >', 'WORKER >', 'NPM START >', 'POSTGRES >', 'REDIS >'];
  const table = createTable(['npm start', 'TOGETHER >', 'MUST >', 'AIM >', ...processes], paint);
  const row = (name: string, parts: readonly ByMember[], { goal, digits, sum }: RowFormat) => {
    const middle = (read: (part: ByMember) => number) => median(parts.map(read)).toFixed(digits);
    table.add([name, middle(sum), ...goalCells(goal), ...HOUSEHOLD_KINDS.map((kind) => middle((part) => part[kind]))]);
  };
  const { memoryMiB, cpuPercent } = IDLE.goal;
  const before = idles.map((idle) => idle.memoryMiB.before);
  const after = idles.map((idle) => idle.memoryMiB.after);
  row('memory of its own three at rest, MiB', before, { digits: 0, sum: ownOf });
  row(`the same after ${IDLE_EVENTS} events`, after, { goal: memoryMiB, digits: 0, sum: ownOf });
  const percents = idles.map((idle) => idle.cpuPercent);
  row('doing nothing, all, % of a core', percents, { goal: cpuPercent, digits: 2, sum: sumOf });
  return table.write();
}

/** Without the servers. */
export function ownOf({ api, worker, supervisor }: ByMember): number {
  return api + worker + supervisor;
}

function goalCells(goal: Goal | undefined): [string, string] {
  return goal ? [`${goal.must}`, `${goal.aim}`] : ['', ''];
}

function sumOf(parts: Record<string, number>): number {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}
