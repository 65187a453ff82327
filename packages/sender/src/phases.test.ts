import { expect, test } from '@jest/globals';
import { isConnected, phasesOf } from './phases.js';

const measured = { dns: 1, tcp: 2, tls: 3, firstByte: 4, download: 5, total: 20 };

test('a new connection shows every phase', () => {
  expect(phasesOf(timings(measured), 20)).toEqual({ dns: 1, tcp: 2, tls: 3, first_byte: 4, download: 5 });
});

test('a connection used again shows no phase of the request that opened it', () => {
  expect(phasesOf({ ...timings(measured), reusedSocket: true }, 20)).toEqual({ first_byte: 4, download: 5 });
});

test('what was not reached or makes no sense is missing', () => {
  expect(phasesOf(timings({ dns: 0, tcp: -3, firstByte: Number.NaN }), 20)).toEqual({ dns: 0 });
  expect(phasesOf({ timings: undefined, reusedSocket: undefined }, 20)).toEqual({});
});

test('nor does a phase that lasted longer than the whole: the clock was set forward meanwhile', () => {
  expect(phasesOf(timings({ dns: 1, tcp: 600_002, firstByte: 4 }), 6.4)).toEqual({ dns: 1, first_byte: 4 });
});

test.each([
  ['http://a/', {}, false],
  ['http://a/', { connect: 1 }, true],
  ['https://a/', { connect: 1 }, false],
  ['https://a/', { connect: 1, secureConnect: 2 }, true],
])('to %s, %j is connected: %s', (url, times, connected) => {
  expect(isConnected({ timings: { start: 0, ...times, phases: {} }, options: { url } })).toBe(connected);
});

test('before there is a request there is no connection', () => {
  expect(isConnected({ timings: undefined, options: { url: 'http://a/' } })).toBe(false);
});

function timings(phases: Partial<typeof measured>) {
  return { timings: { start: 0, phases }, reusedSocket: false };
}
