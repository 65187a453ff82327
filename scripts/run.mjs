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
  stop.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stdio = show ? 'inherit' : 'pipe';
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', stdio, stdio],
    });
    const kill = () => endGroup(child.pid);
    stop.addEventListener('abort', kill);
    let output = '';
    const collect = (/** @type {string} */ text) => {
      output += text;
    };
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => {
      stop.removeEventListener('abort', kill);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** @param {number | undefined} pid */
function endGroup(pid) {
  try {
    if (pid) process.kill(-pid, 'SIGTERM');
  } catch {
    // It has just ended.
  }
}
