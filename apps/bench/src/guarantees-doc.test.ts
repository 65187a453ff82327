import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/guarantees.md', root), 'utf8');

/** Every promise's row: the test files it names, each with the test names quoted behind it. */
const held = page
  .split('\n')
  .filter((line) => line.startsWith('| **'))
  .map((line) => ({
    promise: line.slice(0, 60),
    files: [...line.matchAll(/`([\w./-]+\.test\.ts)`(?:: ((?:"[^"]+"(?:, )?)+))?/g)].map(
      ([, file = '', names = '']) => ({
        file,
        names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
      }),
    ),
  }));

test('every promise names the test that holds it, and that test exists', () => {
  expect(held.length).toBeGreaterThan(10);
  for (const { promise, files } of held) {
    expect([promise, files.length]).not.toEqual([promise, 0]);
    for (const { file, names } of files) {
      const source = readFileSync(new URL(file, root), 'utf8');
      for (const name of names) expect([file, name, source.includes(name)]).toEqual([file, name, true]);
    }
  }
});
