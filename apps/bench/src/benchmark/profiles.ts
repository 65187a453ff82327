import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FindSourceMap, inSourceFiles } from './bundled-sources.js';
import { type CpuProfile, type Share, shareByOwner, type Window, within } from './cpu-profile.js';

/** A process writes its profile when it ends by itself, so it must not be killed. */
export function profileInto(directory: string) {
  const nodeArgs = (name: string) => [
    '--cpu-prof',
    `--cpu-prof-dir=${directory}`,
    `--cpu-prof-name=${name}.cpuprofile`,
  ];
  return { nodeArgs, endSignal: 'SIGTERM' as const };
}

const SHOWN_OWNERS = 14;

/** Who used the processor in the API and in the first worker, a line each. */
export function writeProfiles(directory: string): string {
  return ['api-1', 'worker-1']
    .map((name) => `${name}: ${writeShares(readProfile(directory, name), writeShare)}`)
    .join('\n');
}

/** A part of a run, and what a delivery took in it of API and worker, in milliseconds. */
export type Part = { title: string; windows: readonly Window[]; cpuMs: { api: number; worker: number } };

/** The same for each part by itself, in microseconds a delivery. */
export function writePartProfiles(directory: string, parts: readonly Part[]): string {
  const [api, worker] = [readProfile(directory, 'api-1'), readProfile(directory, 'worker-1')];
  return parts
    .flatMap(({ title, windows, cpuMs }) =>
      [
        { name: 'api', ms: cpuMs.api, profile: within(api, windows) },
        { name: 'worker', ms: cpuMs.worker, profile: within(worker, windows) },
      ].map(({ name, ms, profile }) => {
        const writeUs = ({ owner, share }: Share) => `${owner} ${(share * ms * 1_000).toFixed(0)}`;
        return `${title}, ${name}, ${(ms * 1_000).toFixed(0)} µs a delivery: ${writeShares(profile, writeUs)}`;
      }),
    )
    .join('\n');
}

function writeShares(profile: CpuProfile, write: (share: Share) => string): string {
  return shareByOwner(profile).slice(0, SHOWN_OWNERS).map(write).join(', ');
}

function readProfile(directory: string, name: string): CpuProfile {
  const written = JSON.parse(readFileSync(join(directory, `${name}.cpuprofile`), 'utf8')) as CpuProfile;
  return inSourceFiles(written, createSourceMapFinder());
}

/** Reads each file once: a profile names it for every function. */
function createSourceMapFinder(): FindSourceMap {
  const known = new Map<string, SourceMap | null>();
  return (url) => {
    const found = known.get(url);
    if (found !== undefined) return found;
    const file = /^file:.*\/apps\/\w+\/dist\//.test(url) ? `${fileURLToPath(url)}.map` : '';
    const map = existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : null;
    known.set(url, map);
    return map;
  };
}

function writeShare({ owner, share }: Share): string {
  return `${owner} ${(share * 100).toFixed(1)} %`;
}
