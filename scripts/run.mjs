// @ts-check
import { spawn } from 'node:child_process';

/**
 * Runs a program to its end. It has a process group of its own and dies with it when `stop` aborts, so that neither npm
 * nor a compiler outlives a Ctrl-C.
 *
 * @param {string[]} command
 * @param {{ stop: AbortSignal, env?: Record<string, string>, show?: boolean }} options  with `show` its output goes to the screen
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run([file = '', ...args], { stop, env = {}, show = false }) {
  return new Promise((resolve, reject) => {
    const stdio = show ? 'inherit' : 'pipe';
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', stdio, stdio],
    });
    const kill = () => child.pid && process.kill(-child.pid, 'SIGTERM');
    stop.addEventListener('abort', kill);
    let output = '';
    const collect = (/** @type {Buffer} */ text) => {
      output += text;
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => {
      stop.removeEventListener('abort', kill);
      resolve({ code: code ?? 1, output });
    });
  });
}
