import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { API_YOUNG_MIB, nodeCommand } from '../src/index.js';

/** Leaves garbage until the young generation is as large as it may become. */
const TELL = `
const { getHeapSpaceStatistics } = require('node:v8');
let kept = [];
for (let index = 0; index < 2e7; index += 1) { kept.push({ index }); if (kept.length > 200_000) kept = []; }
const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
const { execArgv, argv, env } = process;
console.log(JSON.stringify({ youngMiB: young.space_size / 2 ** 20, title: execArgv.includes('--title=x'), args: argv.slice(2), word: env.WORD, threads: env.UV_THREADPOOL_SIZE }));
`;

test.each([
  [undefined, 128],
  [API_YOUNG_MIB, 32],
])(
  'a program gets its arguments, its environment, more threads than it has deliveries in flight, and two halves of 64 MiB, or %p, for what is young',
  async (youngMiB, inAllMiB) => {
    const directory = mkdtempSync(join(tmpdir(), 'driftwire-node-'));
    const script = join(directory, 'tell.cjs');
    writeFileSync(script, TELL);
    try {
      const { file, args, ...options } = nodeCommand({
        script,
        env: { WORD: 'w' },
        args: ['a'],
        nodeArgs: ['--title=x'],
        ...(youngMiB === undefined ? {} : { youngMiB }),
      });
      const { stdout } = await promisify(execFile)(file, args, options);
      expect(JSON.parse(stdout)).toEqual({ youngMiB: inAllMiB, title: true, args: ['a'], word: 'w', threads: '128' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

test.each([
  [{ WORKER_CONCURRENCY: '500' }, '528'],
  [{ WORKER_CONCURRENCY: '10' }, '64'],
  [{ WORKER_CONCURRENCY: 'many' }, '128'],
  [{ WORKER_CONCURRENCY: '500', UV_THREADPOOL_SIZE: '8' }, '8'],
])('with %j it is started with %s threads', (env, threads) => {
  expect(nodeCommand({ script: '/x.js', env }).env.UV_THREADPOOL_SIZE).toBe(threads);
});
