// @ts-check
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TURBO_ENV, turbo } from './build.mjs';
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';
import { listenForStop } from './stop-signals.mjs';

// `npm test`: everything, whatever fails on the way; the last line is the sum of all tests. Arguments go to
// jest, and leave out the fuzz and chaos runs.

const CHECKS = {
  lint: [process.execPath, 'node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.'],
  boundaries: turbo('boundaries'),
  types: turbo('run', 'typecheck', '--ui=stream', '--output-logs=errors-only'),
};
// Apart, because nock changes `http` for the whole process.
const PROJECTS = ['unit', 'wire', 'integration'];
/** The short form of the proof; docs/guarantees.md has the long one. A seed of its own every time: it is printed when it fails. */
const CHAOS = [process.execPath, 'scripts/chaos.mjs', '--events', '600', '--minutes', '1', '--faults', '20'];
/** The short form of `npm run fuzz`, with a seed of its own as well. */
const FUZZ = [process.execPath, 'scripts/fuzz.mjs', '--requests', '2000'];
const { NODE_OPTIONS: callersOptions = '' } = process.env;
const JEST_ENV = {
  NODE_OPTIONS: `${callersOptions} --experimental-vm-modules --disable-warning=ExperimentalWarning`,
};

/** Somebody who names tests wants those and nothing else. */
const wholeSuite = process.argv.length === 2;

const stop = listenForStop();
if (await prepare(stop)) process.exitCode = await testEverything();

async function testEverything() {
  const outOfOrder = [];
  const sum = { passed: 0, failed: 0 };
  if (!(await hasRedis())) outOfOrder.push('redis-server');
  for (const [name, command] of Object.entries(CHECKS)) if (!(await passes(name, command))) outOfOrder.push(name);
  for (const project of PROJECTS) {
    const result = await test(project);
    if (!result.isInOrder) outOfOrder.push(`${project} tests`);
    sum.passed += result.passed;
    sum.failed += result.failed;
  }
  if (wholeSuite && !(await passes('fuzz', FUZZ))) outOfOrder.push('fuzz');
  if (wholeSuite && !(await passes('chaos', CHAOS))) outOfOrder.push('chaos');
  console.log(outOfOrder.length > 0 ? `\nNot in order: ${outOfOrder.join(', ')}` : '\nAll in order');
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  return outOfOrder.length > 0 ? 1 : 0;
}

/** Installed now if that is allowed; the integration tests start one of their own from it. */
async function hasRedis() {
  const { ensureRedisServer } = await import('../packages/local-servers/dist/index.js');
  try {
    await ensureRedisServer({ say: console.log, signal: stop });
    return true;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

/**
 * Says nothing but that it passed, or else everything.
 *
 * @param {string} name
 * @param {string[]} command
 */
async function passes(name, command) {
  const startedAt = Date.now();
  const { code, output } = await exitIfStopped(run(command, { stop, env: TURBO_ENV }));
  if (code !== 0) console.error(output.trim());
  console.log(`${name}: ${code === 0 ? 'in order' : 'FAILED'} (${seconds(startedAt)})`);
  return code === 0;
}

/** @param {string} project */
async function test(project) {
  const startedAt = Date.now();
  const directory = mkdtempSync(join(tmpdir(), 'driftwire-jest-'));
  const resultFile = join(directory, 'result.json');
  const jest = [process.execPath, 'node_modules/jest/bin/jest.js', '--selectProjects', project, '--passWithNoTests'];
  const { code } = await exitIfStopped(
    // Forced: what a failed test left behind must not turn a red run into one that never ends.
    run([...jest, '--forceExit', '--json', '--outputFile', resultFile, ...process.argv.slice(2)], {
      stop,
      env: JEST_ENV,
      show: true,
    }),
  );
  const result = readResult(resultFile);
  rmSync(directory, { recursive: true });
  console.log(`${project} tests: ${result.passed} passed, ${result.failed} failed (${seconds(startedAt)})\n`);
  return { ...result, isInOrder: code === 0 && result.failed === 0 };
}

/** A file that could not even be loaded counts as a failed test, and so does a jest that left no result. @param {string} file */
function readResult(file) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

/** @template T @param {Promise<T>} running @returns {Promise<T>} */
async function exitIfStopped(running) {
  const result = await running;
  if (stop.aborted) process.exit(130);
  return result;
}

/** @param {number} startedAt */
function seconds(startedAt) {
  return `${((Date.now() - startedAt) / 1_000).toFixed(1)} s`;
}
