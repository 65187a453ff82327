import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createScreen } from './screen.js';

test('lines that nobody reads are dropped and counted, and cost bounded memory', () => {
  const { stream, drain, written } = aStalledStream();
  const { say } = createScreen(stream, stream);
  for (let line = 0; line < 10; line++) say('x'.repeat(1024 * 1024));
  expect(stream.writableLength).toBeLessThan(6 * 1024 * 1024);
  drain();
  say('again');
  expect(written.slice(-2)).toEqual(['(6 lines dropped: nobody read them)\n', 'again\n']);
});

test('a reader that has gone is no reason to end', () => {
  const { stream } = aStalledStream();
  const { say } = createScreen(stream, stream);
  stream.destroy(new Error('EPIPE'));
  expect(() => say('to nobody')).not.toThrow();
});

function aStalledStream() {
  const written: string[] = [];
  let isStalled = true;
  let release = () => {};
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      written.push(chunk);
      if (isStalled) release = done;
      else done();
    },
  });
  const drain = () => {
    isStalled = false;
    release();
  };
  return { stream, drain, written };
}
