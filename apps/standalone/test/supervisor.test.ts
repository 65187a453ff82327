import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@driftwire/local-servers';
import { afterEach, expect, jest, test } from '@jest/globals';
import type { ChildPlan } from '../src/child-plan.js';
import { createSupervisor, type Supervisor } from '../src/supervisor.js';
import { exists, freshDirectory, removeDirectories } from './stand-in-stack.js';

jest.setTimeout(30_000);

const supervisors: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.stop();
  removeDirectories();
});

test('children stop in the order opposite to their start, each stage before the next', async () => {
  const { supervisor, journal, aPlan } = setup();
  for (const stage of [['postgres'], ['redis'], ['worker-1', 'worker-2'], ['api']])
    await supervisor.start(
      stage.map((name) => aPlan(name)),
      NEVER,
    );
  await supervisor.stop();
  const [api, ...rest] = journal().filter((line) => line.startsWith('stopped'));
  expect([api, ...rest.slice(0, 2).sort(), ...rest.slice(2)]).toEqual(
    ['api', 'worker-1', 'worker-2', 'redis', 'postgres'].map((name) => `stopped ${name}`),
  );
});

test('a child that does not stop is killed after its grace, and this is said', async () => {
  const { supervisor, complaints, pids, aPlan } = setup();
  await supervisor.start([aPlan('api', { script: STUBBORN, graceMs: 100 })], NEVER);
  const pid = pids.at(-1) ?? 0;
  await supervisor.stop();
  expect(exists(pid)).toBe(false);
  expect(complaints).toEqual(['api did not stop within 0.1 s and was killed']);
});

test('a child that dies again and again before it was ever ready is given up, with its last words', async () => {
  const { supervisor, aPlan } = setup();
  const start = supervisor.start(
    [aPlan('redis', { script: 'console.error("no room on the disk"); process.exit(1)' })],
    NEVER,
  );
  await expect(start).rejects.toThrow('redis did not start: no room on the disk');
});

test('exit code 78 is a bad configuration: not started again, its words are handed over', async () => {
  const { supervisor, problems, pids, aPlan } = setup();
  const script = 'console.error("MAX_ATTEMPTS: must be a number"); process.exit(78)';
  await expect(supervisor.start([aPlan('api', { script })], NEVER)).rejects.toThrow('MAX_ATTEMPTS: must be a number');
  expect(problems).toEqual([expect.objectContaining({ message: 'MAX_ATTEMPTS: must be a number' })]);
  expect(pids).toHaveLength(1);
});

test('a child that keeps dying is started again without limit', async () => {
  const { supervisor, pids, aPlan } = setup();
  await supervisor.start([aPlan('worker-1')], NEVER);
  for (let deaths = 1; deaths <= 4; deaths++) {
    process.kill(pids.at(-1) ?? 0, 'SIGKILL');
    expect(await until(() => pids.length > deaths, { deadlineMs: 10_000 })).toBe(true);
  }
});

test('stopping while a child waits for its restart starts nothing', async () => {
  const { supervisor, pids, aPlan } = setup();
  await supervisor.start([aPlan('worker-1')], NEVER);
  process.kill(pids[0] ?? 0, 'SIGKILL');
  await supervisor.stop();
  expect(pids.filter(exists)).toEqual([]);
});

const NEVER = new AbortController().signal;
const STUBBORN = 'process.on("SIGTERM", () => {}); note("started"); setInterval(() => {}, 1000)';
const OBEDIENT =
  'process.on("SIGTERM", () => { note("stopped"); process.exit() }); note("started"); setInterval(() => {}, 1000)';

function setup() {
  const file = join(freshDirectory(), 'journal');
  appendFileSync(file, '');
  const journal = () => readFileSync(file, 'utf8').trim().split('\n');
  const complaints: string[] = [];
  const problems: unknown[] = [];
  const pids: number[] = [];
  const supervisor = createSupervisor({
    screen: { say: () => {}, complain: (line) => complaints.push(line) },
    records: { add: (_name, pid) => pids.push(pid), remove: () => {} },
    fail: (problem) => problems.push(problem),
  });
  supervisors.push(supervisor);
  const aPlan = (name: string, { script = OBEDIENT, graceMs = 10_000 } = {}): ChildPlan => ({
    name,
    command: () => ({
      file: process.execPath,
      args: [
        '-e',
        `const note = (what) => require('fs').appendFileSync(${JSON.stringify(file)}, what + ' ${name}\\n'); ${script}`,
      ],
      cwd: '/',
      env: {},
    }),
    findObstacle: async () =>
      existsSync(file) && journal().includes(`started ${name}`) ? undefined : 'it has not started',
    stopSignal: 'SIGTERM',
    graceMs,
  });
  return { supervisor, journal, complaints, problems, pids, aPlan };
}
