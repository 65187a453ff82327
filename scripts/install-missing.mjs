// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} Package */

/**
 * Brings node_modules to what package-lock.json says, if it is not there yet. Throws one line when that fails.
 *
 * @param {{ root: string, stop: AbortSignal, say: (line: string) => void }} options
 */
export async function installMissing({ root, stop, say }) {
  if (isInstalled(root)) return;
  say('Installing packages (npm ci)');
  const { code, output } = await run([...npm(), 'ci', '--include=dev', '--loglevel=error'], { stop });
  stop.throwIfAborted();
  if (code !== 0) throw new Error(`npm ci failed: ${summarize(output)}`);
}

/**
 * By content: times of change say nothing after a copy or a checkout. npm leaves its own lock in node_modules as the last
 * thing it does; what is optional belongs to other platforms.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const present = installed[path];
    if (path === '' || (optional && !present)) return true;
    return present !== undefined && present.version === version && present.integrity === integrity;
  });
}

/** @param {string} file @returns {Record<string, Package>} */
function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/** The npm that runs us, else the one on PATH. */
function npm() {
  const { npm_execpath: script } = process.env;
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
}

/** npm's error code and its first whole sentence. @param {string} output */
function summarize(output) {
  const lines = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  const code = lines.find((line) => /^code \S+$/.test(line))?.slice('code '.length);
  const sentence = lines.find((line) => line.split(' ').length > 3) ?? 'npm said nothing';
  return [code, sentence].filter(Boolean).join(': ');
}
