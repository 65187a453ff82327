import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Stack, startStack, until } from '@driftwire/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let stack: Stack;
let directory: string;
let pid: number;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'driftwire-heap-'));
  const options = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${directory}`;
  stack = await startStack({ workers: 0, env: { NODE_OPTIONS: options } });
  pid = stack.apis[0]?.pid ?? 0;
});

afterAll(async () => {
  await stack.close();
  await rm(directory, { recursive: true });
});

/** Resident memory that nobody shares, in MiB: what one more process costs. */
function ownMiB(): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (
    [...rollup.matchAll(/^(?:Private_Clean|Private_Dirty):\s+(\d+)/gm)].reduce((kib, [, one]) => kib + Number(one), 0) /
    1024
  );
}

/** How often its main thread has gone to sleep so far. */
function sleeps(): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

const PERIOD_S = 5;
/** Tens of MiB are written. */
const SNAPSHOT = { deadlineMs: 30_000 };

test('an API that nobody asks for anything wakes up a few times a second at most, and is small', async () => {
  // Its start has come to rest.
  await until(async () => {
    const before = sleeps();
    await delay(1_000);
    return sleeps() - before < 30;
  });
  const before = sleeps();
  await delay(PERIOD_S * 1_000);
  expect((sleeps() - before) / PERIOD_S).toBeLessThan(20);
  expect(ownMiB()).toBeLessThan(90);
}, 60_000);

test('events that are stored are not kept in memory', async () => {
  const { customerId } = await stack.customerWithEndpoint();
  for (let n = 0; n < 20; n += 1) await stack.postEvent(customerId, { event_type: `drift.stored_long_ago_${n}` });
  // The last one may be held by a connection that has nothing else to hold.
  await stack.postEvent(customerId, { event_type: 'drift.the_last' });
  process.kill(pid, 'SIGUSR2');
  const written = () => readdirSync(directory).find((name) => name.endsWith('.heapsnapshot'));
  const text = await until(() => {
    const name = written();
    const snapshot = name === undefined ? '' : readFileSync(join(directory, name), 'utf8');
    return snapshot.endsWith('}') && snapshot;
  }, SNAPSHOT);
  const kept = new Set(text.match(/drift\.stored_long_ago_\d+/g));
  expect(kept.size).toBeLessThan(5);
}, 60_000);
