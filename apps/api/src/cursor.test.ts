import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createCursors } from './cursor.js';
import { Problem } from './problem.js';

const cursors = createCursors('secret');
const ID = '01890000-0000-7000-8000-000000000000';

test('a cursor leads back to its id, fits into a query, and is of one length', () => {
  fc.assert(
    fc.property(fc.uuid(), (id) => {
      const cursor = cursors.encode(id);
      expect(cursor).toMatch(/^[\w-]{32}$/);
      expect(cursors.decode(cursor)).toBe(id);
    }),
  );
});

test('a cursor with any one character changed is refused', () => {
  const cursor = cursors.encode(ID);
  fc.assert(
    fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'ABCxyz019-_'), (at, character) => {
      fc.pre(cursor[at] !== character);
      const tampered = cursor.slice(0, at) + character + cursor.slice(at + 1);
      expect(() => cursors.decode(tampered)).toThrow(Problem);
    }),
  );
});

test('what is no cursor of ours is refused, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => cursors.decode(text)).toThrow('/cursor is not a cursor from a previous page.');
    }),
  );
  expect(() => cursors.decode(createCursors('other secret').encode(ID))).toThrow(Problem);
});
