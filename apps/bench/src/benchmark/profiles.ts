import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FindSourceMap, inSourceFiles } from './bundled-sources.js';
import { type CpuProfile, type Share, shareByOwner } from './cpu-profile.js';

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
    .map((name) => {
      const written = JSON.parse(readFileSync(join(directory, `${name}.cpuprofile`), 'utf8')) as CpuProfile;
      const profile = inSourceFiles(written, createSourceMapFinder());
      return `${name}: ${shareByOwner(profile).slice(0, SHOWN_OWNERS).map(writeShare).join(', ')}`;
    })
    .join('\n');
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
