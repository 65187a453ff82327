import { createTable, type Paint } from '@driftwire/terminal';
import type { Costs } from './costs.js';
import { type DepthCost, type DepthLevel, type DepthRun, SHALLOW, type Turn, writeCount } from './depth.js';
import { median } from './quantiles.js';

const PROCESSES = ['worker', 'api', 'postgres', 'redis'] as const satisfies (keyof Costs)[];
const SLOWEST_SHOWN = 5;

/** The medians over all turns of all runs; of lists the slowest. */
export function writeDepth(runs: readonly DepthRun[], paint: Paint): string {
  const names = (runs[0]?.levels ?? []).map(({ name }) => name);
  const levels = names.map((name) => ({
    name,
    turns: levelsOf(runs, name).flatMap(({ turns }) => turns),
    lists: levelsOf(runs, name).flatMap(({ lists }) => lists),
  }));
  return [writeCosts(levels, paint), writeLists(levels, paint), writeSlowest(levels, paint), writeBacklog(runs)].join(
    '\n\n',
  );
}

function levelsOf(runs: readonly DepthRun[], name: string): DepthLevel[] {
  return runs.flatMap(({ levels }) => levels.filter((level) => level.name === name));
}

/** Postgres's own times are the ones that depth would show in. */
function writeCosts(levels: readonly DepthLevel[], paint: Paint): string {
  const table = createTable(
    ['CPU PER DELIVERY', ...PROCESSES.map((name) => `${name} >`), 'ALL >', `× ${writeCount(SHALLOW)} >`, 'GOAL'],
    paint,
  );
  for (const { name, turns } of levels) {
    if (turns.length === 0) continue;
    const row = (label: string, of: (turn: Turn) => DepthCost) => {
      const costs = PROCESSES.map((process) => median(turns.map((turn) => perDelivery(of(turn), [process]))));
      const all = median(turns.map((turn) => perDelivery(of(turn), PROCESSES)));
      return [label, ...costs.map(ms), ms(all)];
    };
    table.add(row(`${writeCount(SHALLOW)}, in turns with`, ({ shallow }) => shallow));
    const ratio = median(
      turns.map(({ shallow, deep }) => perDelivery(deep, PROCESSES) / perDelivery(shallow, PROCESSES)),
    );
    table.add([...row(name, ({ deep }) => deep), ratio.toFixed(2), '≤ 1.15']);
  }
  return table.write();
}

function perDelivery({ deliveries, costs }: DepthCost, processes: readonly (keyof Costs)[]): number {
  return processes.reduce((sum, process) => sum + costs[process].cpuMs, 0) / deliveries;
}

function writeLists(levels: readonly DepthLevel[], paint: Paint): string {
  const table = createTable(['LISTS', 'QUESTIONS >', 'p50 >', 'WORST p50 >', 'WORST p99 >', 'GOAL'], paint);
  for (const { name, lists } of levels) {
    const p50s = lists.map(({ ms: { p50 } }) => p50);
    const worst = [Math.max(...p50s), Math.max(...lists.map(({ ms: { p99 } }) => p99))];
    table.add([name, `${lists.length}`, ms(median(p50s)), ...worst.map(ms), 'p99 ≤ 50 ms']);
  }
  return table.write();
}

function writeSlowest(levels: readonly DepthLevel[], paint: Paint): string {
  const table = createTable(['SLOWEST LISTS', '', 'p50 >', 'p99 >'], paint);
  const all = levels.flatMap(({ name, lists }) => lists.map((times) => ({ name, ...times })));
  const slowest = all.sort((one, other) => other.ms.p99 - one.ms.p99).slice(0, SLOWEST_SHOWN);
  for (const { name, list, question, ms: times } of slowest) {
    table.add([`${list}: ${question}`, name, ms(times.p50), ms(times.p99)]);
  }
  return table.write();
}

function writeBacklog(runs: readonly DepthRun[]): string {
  const middle = (read: (run: DepthRun) => number) => median(runs.map(read));
  return [
    `Postgres: ${(middle(({ tableBytes }) => tableBytes) / 2 ** 30).toFixed(1)} GiB before the waiting deliveries`,
    `A waiting delivery: ${middle(({ backlog }) => backlog.redisBytesPerWaiting).toFixed(0)} bytes of Redis (goal ≤ 1,024)`,
    `Taken in ${middle(({ backlog }) => backlog.enqueuedPerSecond).toFixed(0)}/s while paused, worked off ${middle(({ backlog }) => backlog.drainedPerSecond).toFixed(0)}/s`,
  ].join('\n');
}

function ms(value: number): string {
  return `${value.toFixed(3)} ms`;
}
