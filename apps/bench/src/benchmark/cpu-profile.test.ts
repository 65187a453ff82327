import { expect, test } from '@jest/globals';
import { shareByOwner, within } from './cpu-profile.js';

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url, lineNumber: 0, columnNumber: 0 },
  children,
});

test('what Node does is counted to the package that had it done; idling is not counted', () => {
  const nodes = [
    node(1, '(root)', '', [2, 3, 6, 8]),
    node(2, '(idle)', ''),
    node(3, 'request', 'file:///app/node_modules/got/dist/index.js', [4]),
    node(4, 'connect', 'node:net', [5]),
    node(5, 'writev', ''),
    node(6, 'onStreamRead', 'node:internal/stream_base_commons', [7]),
    node(7, 'deliver', 'file:///app/apps/worker/dist/deliver.js'),
    node(8, '(garbage collector)', ''),
  ];
  const timeDeltas = [1_000, 10, 20, 10, 20, 30, 10];
  const shares = shareByOwner({ nodes, startTime: 0, samples: [2, 3, 4, 5, 6, 7, 8], timeDeltas });
  expect(shares).toEqual([
    { owner: 'got', share: 0.4 },
    { owner: 'apps/worker', share: 0.3 },
    { owner: 'node', share: 0.2 },
    { owner: '(garbage collector)', share: 0.1 },
  ]);
});

test('a scoped package is one owner, also inside another', () => {
  const nodes = [
    node(1, '(root)', '', [2]),
    node(2, 'f', 'file:///app/node_modules/a/node_modules/@prisma/adapter-pg/dist/index.js'),
  ];
  const shares = shareByOwner({ nodes, startTime: 0, samples: [2], timeDeltas: [1] });
  expect(shares).toEqual([{ owner: '@prisma/adapter-pg', share: 1 }]);
});

test('of a profile only the samples in the windows are left, by their own time', () => {
  const profile = { nodes: [], startTime: 1_000, samples: [1, 2, 3, 4, 5], timeDeltas: [100, 200, 50, 400, 50] };
  const windows = [
    { fromUs: 1_100, toUs: 1_350 },
    { fromUs: 1_800, toUs: 2_000 },
  ];
  expect(within(profile, windows)).toEqual({ ...profile, samples: [1, 2, 5], timeDeltas: [100, 200, 50] });
});
