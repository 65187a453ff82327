import { createTable, type Paint } from '@driftwire/terminal';
import type { ByProcess, CostRun, SceneCost, Side } from './cost.js';
import { FLOOD_SCENES, type Goal, IDLE, REST } from './cost-scenes.js';
import { median } from './quantiles.js';

/** What a scene came to in one run. */
export type SceneFigures = ByProcess & { together: number; bare: number; ratio: number };

export function figuresOf({ cpuMs, bareMs }: Pick<SceneCost, 'cpuMs' | 'bareMs'>): SceneFigures {
  const together = sumOf(cpuMs);
  return { ...cpuMs, together, bare: bareMs, ratio: together / bareMs };
}

/** For each checkout what a delivery costs and what Driftwire takes by being there; every figure is a median of the runs. */
export function writeCost(runs: readonly CostRun[], paint: Paint): string {
  return (runs[0]?.sides ?? [])
    .map(({ checkout }, index) => {
      const sides = runs.flatMap(({ sides }) => sides[index] ?? []);
      const tables = [writeScenes(sides, paint), writeIdle(sides, paint)].filter((table) => table !== '');
      return `${paint('bold', checkout)}\n${tables.join('\n\n')}`;
    })
    .join('\n\n');
}

function writeScenes(sides: readonly Side[], paint: Paint): string {
  const headings = ['', '× BARE GOT >', 'MUST >', 'AIM >', 'CPU ms A DELIVERY >', 'API >', 'WORKER >', 'POSTGRES >'];
  const table = createTable([...headings, 'REDIS >', 'BARE GOT >', 'DELIVERIES/S >', 'RECEIPT p50 >', 'p99 >'], paint);
  for (const { name, title, goal } of [...FLOOD_SCENES, { ...REST, goal: undefined }]) {
    const costs = sides.flatMap(({ scenes }) => scenes.filter((scene) => scene.name === name));
    if (costs.length === 0) continue;
    const figure = (read: (figures: SceneFigures) => number) => median(costs.map((cost) => read(figuresOf(cost))));
    const cpu = (['together', 'api', 'worker', 'postgres', 'redis', 'bare'] as const).map((process) =>
      figure((figures) => figures[process]).toFixed(3),
    );
    table.add([
      title,
      figure(({ ratio }) => ratio).toFixed(2),
      ...goalCells(goal),
      ...cpu,
      median(costs.map(({ perSecond }) => perSecond)).toFixed(0),
      median(costs.map(({ latencyMs }) => latencyMs.p50)).toFixed(1),
      median(costs.map(({ latencyMs }) => latencyMs.p99)).toFixed(1),
    ]);
  }
  return table.write();
}

function writeIdle(sides: readonly Side[], paint: Paint): string {
  const idles = sides.flatMap(({ idle }) => idle ?? []);
  if (idles.length === 0) return '';
  const table = createTable(['', 'TOGETHER >', 'MUST >', 'AIM >', 'API >', 'WORKER >', 'POSTGRES >', 'REDIS >'], paint);
  const row = (name: string, parts: Partial<ByProcess>[], { goal, digits }: { goal?: Goal; digits: number }) => {
    const middle = (read: (part: Partial<ByProcess>) => number) => median(parts.map(read)).toFixed(digits);
    const cells = (['api', 'worker', 'postgres', 'redis'] as const).map((process) =>
      parts.some((part) => process in part) ? middle((part) => part[process] ?? 0) : '',
    );
    table.add([name, middle(sumOf), ...goalCells(goal), ...cells]);
  };
  row(
    'Own memory at rest, MiB',
    idles.map(({ memoryMiB }) => memoryMiB.before),
    { digits: 0 },
  );
  const { memoryMiB, cpuPercent } = IDLE.goal;
  row(
    'after 5,000 events',
    idles.map(({ memoryMiB }) => memoryMiB.after),
    { goal: memoryMiB, digits: 0 },
  );
  row(
    'Doing nothing, % of a core',
    idles.map(({ cpuPercent }) => cpuPercent),
    { goal: cpuPercent, digits: 2 },
  );
  return table.write();
}

function goalCells(goal: Goal | undefined): [string, string] {
  return goal ? [`${goal.must}`, `${goal.aim}`] : ['', ''];
}

function sumOf(parts: Partial<ByProcess>): number {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}
