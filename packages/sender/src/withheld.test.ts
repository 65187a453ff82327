import { expect, test } from '@jest/globals';
import type { Failure } from './failure.js';
import { type Unanswered, withheldBecause } from './withheld.js';

/** Stopped 10 ms after it began, for 31 s. */
const STOPPED: Unanswered = {
  failure: aFailure('timeout'),
  isUnasked: false,
  mayHaveLeft: false,
  withinMs: 15_000,
  elapsedMs: 31_010,
  stoodStillMs: 31_000,
};

test.each<[string, Partial<Unanswered>, string | null]>([
  ['stopped before it could connect', {}, 'late'],
  ['stopped, and the handshake given up by the receiver meanwhile', { failure: aFailure('reset') }, 'late'],
  ['stopped when it had a connection', { mayHaveLeft: true }, null],
  ['stopped, and refused', { failure: aFailure('refused') }, null],
  ['stopped, and the name does not exist', { failure: aFailure('dns') }, null],
  ['no answer to a connection or a lookup in all its time', { elapsedMs: 15_000, stoodStillMs: 0 }, null],
  ['stopped after half of its time without an answer', { elapsedMs: 38_500, stoodStillMs: 31_000 }, null],
  ['stopped just before half of its time', { elapsedMs: 38_499, stoodStillMs: 31_000 }, 'late'],
  ['a name that was not asked for', { ...aRun(5), failure: aFailure('dns'), isUnasked: true }, 'no_lookup'],
  ['that, for a second sending', { ...aRun(5), failure: aFailure('dns'), isUnasked: true, mayHaveLeft: true }, null],
  ['a handshake that was reset at once', { failure: aFailure('reset'), elapsedMs: 5, stoodStillMs: 0 }, null],
])('%s', (_, unanswered, reason) => {
  expect(withheldBecause({ ...STOPPED, ...unanswered })).toBe(reason);
});

function aRun(elapsedMs: number) {
  return { elapsedMs, stoodStillMs: 0 };
}

function aFailure(kind: Failure['kind']): Failure {
  return { kind, error: '' };
}
