import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { CannotStart } from '@driftwire/local-servers';
import { withSession } from '../stack/database-session.js';
import { type Backlog, measureBacklog } from './backlog.js';
import type { Bench, Benches } from './bench.js';
import type { BenchRun } from './command-line.js';
import type { Costs } from './costs.js';
import { type DeepScene, PATIENCE, setDeepScene, truncateTo } from './deep-scene.js';
import { runDriftwire } from './driftwire-run.js';
import { findFilters, type ListTimes, timeLists } from './list-queries.js';
import { addPastDeliveries, tidyTables } from './past-deliveries.js';
import { readTableBytes } from './storage-bytes.js';

export type DepthCost = { deliveries: number; costs: Costs };

/** Measured one after the other, so that both saw the same machine: on small tables, and at the depth that is asked about. */
export type Turn = { shallow: DepthCost; deep: DepthCost };

export type DepthLevel = { name: string; turns: Turn[]; lists: ListTimes[] };

export type DepthRun = { levels: DepthLevel[]; tableBytes: number; backlog: Omit<Backlog, 'level'> };

/** What a level is measured with, whatever makes it deep. */
export type DepthTools = Pick<Benches, 'say' | 'progress'> & {
  timeLists: (scene: DeepScene, level: string, commonStatus: 'success' | 'pending') => Promise<ListTimes[]>;
  takeTurns: (level: string, measureDeep: () => Promise<DepthCost>) => Promise<Turn[]>;
};

export const SHALLOW = 10_000;
const TURNS = 3;
const WARM_UP_EVENTS = 2_000;
const BYTES_PER_DELIVERY = 2_500;

/** What a delivery and a list cost when the tables are full and when the queue is long, beside what they cost on small tables. */
export function measureDepth(benches: Benches, command: BenchRun): Promise<DepthRun> {
  refuseSmallDisk((command.rows + command.waiting) * BYTES_PER_DELIVERY);
  return benches.withBench(command, (small) =>
    benches.withBench(command, (large) => measureLevels([small, large], command, benches)),
  );
}

async function measureLevels(
  [small, large]: [Bench, Bench],
  command: BenchRun,
  { say, progress }: Pick<Benches, 'say' | 'progress'>,
): Promise<DepthRun> {
  say('warming up');
  const [shallow, deep] = [await setDeepScene(small), await setDeepScene(large)];
  for (const scene of [shallow, deep]) await runDriftwire(scene, { ...command, events: WARM_UP_EVENTS }, progress);
  const tools = createTools(shallow, command, { say, progress });

  await truncateTo(shallow, SHALLOW);
  const lists = await tools.timeLists(shallow, writeCount(SHALLOW), 'success');
  const levels: DepthLevel[] = [{ name: writeCount(SHALLOW), turns: [], lists }];
  for (const rows of [Math.round(command.rows / 10), command.rows]) {
    const name = writeCount(rows);
    say(`filling the tables up to ${name}`);
    await fillUpTo(deep, rows, progress);
    const lists = await tools.timeLists(deep, name, 'success');
    const turns = await tools.takeTurns(name, () => runDriftwire(deep, command, progress));
    levels.push({ name, lists, turns });
  }
  const tableBytes = await withSession(deep.stack.databaseUrl, readTableBytes);
  const { level, ...backlog } = await measureBacklog(deep, command, tools);
  return { levels: [...levels, level], tableBytes, backlog };
}

function createTools(
  shallow: DeepScene,
  command: BenchRun,
  { say, progress }: Pick<Benches, 'say' | 'progress'>,
): DepthTools {
  return {
    say,
    progress,
    timeLists: async (scene, level, commonStatus) => {
      say(`lists, ${level}`);
      const filters = await withSession(scene.stack.databaseUrl, (session) =>
        findFilters(session, scene, commonStatus),
      );
      return timeLists(scene.call, filters, progress);
    },
    takeTurns: async (level, measureDeep) => {
      const turns: Turn[] = [];
      for (let turn = 1; turn <= TURNS; turn += 1) {
        say(`turn ${turn} of ${TURNS}: ${writeCount(SHALLOW)}`);
        await truncateTo(shallow, SHALLOW);
        const shallowCost = await runDriftwire(shallow, command, progress);
        say(`turn ${turn} of ${TURNS}: ${level}`);
        turns.push({ shallow: costOf(shallowCost), deep: costOf(await measureDeep()) });
      }
      return turns;
    },
  };
}

function costOf({ deliveries, costs }: DepthCost): DepthCost {
  return { deliveries, costs };
}

export function writeCount(deliveries: number): string {
  return `${deliveries.toLocaleString('en')} deliveries`;
}

async function fillUpTo(scene: DeepScene, rows: number, progress: Benches['progress']): Promise<void> {
  await withSession(
    scene.stack.databaseUrl,
    async (session) => {
      const [there] = await session.query<{ count: number }>('SELECT count(*)::float8 AS count FROM deliveries');
      await addPastDeliveries(session, scene, rows - (there?.count ?? 0), progress);
      await tidyTables(session);
    },
    PATIENCE,
  );
}

function refuseSmallDisk(needed: number): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize >= needed) return;
  const [wants, has] = [needed, bavail * bsize].map((bytes) => `${Math.ceil(bytes / 1e9)} GB`);
  throw new CannotStart(
    `${tmpdir()} has ${has} left, and this takes ${wants}: set TMPDIR, or a smaller --rows and --waiting`,
  );
}
