import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
      const profile = JSON.parse(readFileSync(join(directory, `${name}.cpuprofile`), 'utf8')) as CpuProfile;
      return `${name}: ${shareByOwner(profile).slice(0, SHOWN_OWNERS).map(writeShare).join(', ')}`;
    })
    .join('\n');
}

function writeShare({ owner, share }: Share): string {
  return `${owner} ${(share * 100).toFixed(1)} %`;
}
