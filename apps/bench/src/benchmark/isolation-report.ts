import { createTable, type Paint } from '@driftwire/terminal';
import type { BesideRow, Figure, Findings } from './isolation-findings.js';
import { median } from './quantiles.js';

/** How healthy customers fared, and what else was counted or timed: medians of all runs, each run judged by its own limit. */
export function writeIsolation(runs: readonly Findings[], paint: Paint): string {
  const rows = runs.flatMap((run) => run.rows);
  const figures = runs.flatMap((run) => run.figures);
  return [
    ...(rows.length === 0 ? [] : ['request to arrival of the healthy, 40 events/s together', writeRows(rows, paint)]),
    ...(figures.length === 0 ? [] : [writeFigures(figures, paint)]),
    ...(runs.length === 1 ? [] : [`(medians of ${runs.length} runs)`]),
  ].join('\n\n');
}

function writeRows(rows: readonly BesideRow[], paint: Paint): string {
  const table = createTable(
    ['BESIDE THEM', 'ALONE p50, p99 ms >', 'BESIDE p50 ms >', 'p99 ms >', 'ARRIVED >', 'SHOULD BE', ''],
    paint,
  );
  for (const ofRuns of together(rows, ({ title }) => title)) {
    const middle = (read: (row: BesideRow) => number) => median(ofRuns.map(read));
    table.add([
      ofRuns[0].title,
      `${ms(middle(({ alone }) => alone.p50))}, ${ms(middle(({ alone }) => alone.p99))}`,
      ms(middle(({ beside }) => beside.p50)),
      ms(middle(({ beside }) => beside.p99)),
      `${middle(({ arrived }) => arrived)} of ${middle(({ expected }) => expected)}`,
      ofRuns[0].limit.text,
      verdict(middle(({ beside, limit }) => beside.p99 - limit.p99Ms) <= 0),
    ]);
  }
  return table.write();
}

function writeFigures(figures: readonly Figure[], paint: Paint): string {
  const table = createTable(['', '', 'MEASURED >', 'SHOULD BE', ''], paint);
  let last = '';
  for (const ofRuns of together(figures, (figure) => `${figure.scene}: ${figure.what}`)) {
    const [{ scene, what, unit, most }] = ofRuns;
    const middle = (read: (figure: Figure) => number) => median(ofRuns.map(read));
    const measured = amount(
      middle(({ value }) => value),
      unit,
    );
    const limits = most === undefined ? [] : [`at most ${amount(most, unit)}`, verdict(middle(excessOf) <= 0)];
    table.add([scene === last ? '' : scene, what, measured, ...limits]);
    last = scene;
  }
  return table.write();
}

function excessOf({ value, most = Infinity }: Figure): number {
  return value - most;
}

function verdict(isKept: boolean): string {
  return isKept ? 'holds' : 'no';
}

function ms(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : 'never';
}

function amount(value: number, unit: string): string {
  if (!Number.isFinite(value)) return 'never';
  const format = { maximumFractionDigits: value < 100 ? 1 : 0, signDisplay: 'negative' } as const;
  return `${value.toLocaleString('en', format)} ${unit}`.trimEnd();
}

type Several<T> = [T, ...T[]];

/** The same of every run, in the order of the first. */
function together<T>(items: readonly T[], nameOf: (item: T) => string): Several<T>[] {
  const named = new Map<string, Several<T>>();
  for (const item of items) {
    const known = named.get(nameOf(item));
    if (known) known.push(item);
    else named.set(nameOf(item), [item]);
  }
  return [...named.values()];
}
