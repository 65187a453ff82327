import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { cpuMsOf, residentMiB } from './cpu-times.js';

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('the processor time of a process agrees with its own account, and counts its children', async () => {
  const burn = 'while (process.cpuUsage().user < 300_000);';
  const parent = `require("node:child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(burn)}]);`;
  const child = spawn(process.execPath, ['-e', `${parent} console.log("done"); setInterval(() => {}, 1000);`]);
  await once(child.stdout, 'data');
  expect(cpuMsOf(child.pid ?? 0)).toBeGreaterThan(250);
  expect(residentMiB(child.pid ?? 0)).toBeGreaterThan(10);
  child.kill();
  await once(child, 'exit');
  expect(cpuMsOf(child.pid ?? 0)).toBe(0);
});
