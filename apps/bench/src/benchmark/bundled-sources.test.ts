import { SourceMap } from 'node:module';
import { expect, test } from '@jest/globals';
import { inSourceFiles } from './bundled-sources.js';

/** The first line holds three functions, from columns 0, 4 and 8: of got, of deliver.ts and of deliver.ts again. */
const MAP = new SourceMap({
  version: 3,
  file: 'main.js',
  sources: ['../../../node_modules/got/dist/index.js', '../src/deliver.ts'],
  sourcesContent: [],
  names: [],
  mappings: 'AAAA,ICAA,IACA',
  sourceRoot: '',
});
const MAIN = 'file:///app/apps/worker/dist/main.js';

function fileOf(url: string, columnNumber: number): string | undefined {
  const nodes = [{ id: 1, callFrame: { functionName: 'f', url, lineNumber: 0, columnNumber } }];
  const findSourceMap = (asked: string) => (asked === MAIN ? MAP : null);
  return inSourceFiles({ nodes, startTime: 0, samples: [], timeDeltas: [] }, findSourceMap).nodes[0]?.callFrame.url;
}

test.each([
  { column: 1, file: 'file:///app/node_modules/got/dist/index.js' },
  { column: 5, file: 'file:///app/apps/worker/src/deliver.ts' },
  { column: 9, file: 'file:///app/apps/worker/src/deliver.ts' },
])('column $column of a bundle is of $file', ({ column, file }) => {
  expect(fileOf(MAIN, column)).toBe(file);
});

test('what is no bundle stays where it is', () => {
  expect(fileOf('node:net', 6)).toBe('node:net');
});
