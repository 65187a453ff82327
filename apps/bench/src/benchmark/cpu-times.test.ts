import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { cpuMsOf, cpuMsOfOne, familyOf, proportionalMiB, readTitle, residentMiB } from './cpu-times.js';

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

onLinux('a family is a process with all that descend from it; shared pages are no more than their share', async () => {
  const child = spawn('sh', ['-c', 'sh -c "sleep 60; true" & echo started; wait'], { detached: true });
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  expect(familyOf(process.pid)).toEqual(expect.arrayContaining([process.pid, ...familyOf(pid)]));
  expect(familyOf(pid).length).toBeGreaterThan(1);
  expect(readTitle(pid)).toMatch(/^sh -c /);
  expect(proportionalMiB(pid)).toBeGreaterThan(0);
  expect(proportionalMiB(pid)).toBeLessThan(residentMiB(pid));
  process.kill(-pid);
  await once(child, 'exit');
  expect([cpuMsOfOne(pid), proportionalMiB(pid), readTitle(pid)]).toEqual([0, 0, '']);
});
