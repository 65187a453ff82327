import { expect, test } from '@jest/globals';
import { choosePaint } from './paint.js';

test.each([
  [true, {}, '\x1b[31mbad\x1b[39m'],
  [true, { NO_COLOR: '' }, '\x1b[31mbad\x1b[39m'],
  [true, { NO_COLOR: '1' }, 'bad'],
  [true, { TERM: 'dumb' }, 'bad'],
  [false, {}, 'bad'],
])('terminal: %j, environment: %j', (isTTY, env, expected) => {
  expect(choosePaint({ isTTY, env })('red', 'bad')).toBe(expected);
});
