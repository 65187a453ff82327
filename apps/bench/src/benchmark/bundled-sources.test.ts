import { expect, test } from '@jest/globals';
import { inSourceFiles } from './bundled-sources.js';

const BUNDLE = [
  'import { createRequire } from "node:module";',
  '// ../../node_modules/got/dist/index.js',
  'function request() {}',
  '// src/deliver.ts',
  'function deliver() {}',
  '// a remark',
  'function park() {}',
];

function fileOf(url: string, lineNumber: number): string | undefined {
  const nodes = [{ id: 1, callFrame: { functionName: 'f', url, lineNumber } }];
  const readBundle = (asked: string) => (asked.endsWith('/dist/main.js') ? BUNDLE : null);
  return inSourceFiles({ nodes, samples: [], timeDeltas: [] }, readBundle).nodes[0]?.callFrame.url;
}

const MAIN = 'file:///app/apps/worker/dist/main.js';

test.each([
  { line: 0, file: MAIN },
  { line: 2, file: 'file:///app/node_modules/got/dist/index.js' },
  { line: 4, file: 'file:///app/apps/worker/src/deliver.ts' },
  { line: 6, file: 'file:///app/apps/worker/src/deliver.ts' },
])('line $line of a bundle is of $file', ({ line, file }) => {
  expect(fileOf(MAIN, line)).toBe(file);
});

test('what is no bundle stays where it is', () => {
  expect(fileOf('node:net', 6)).toBe('node:net');
});
