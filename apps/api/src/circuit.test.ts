import { expect, test } from '@jest/globals';
import { type Circuit, viewCircuit } from './circuit.js';

const NOW = new Date('2026-01-31T12:00:00Z');
const closed = { circuitOpenedAt: null, circuitFailures: null, nextProbeAt: null, probeUntil: null };
const open = {
  circuitOpenedAt: new Date('2026-01-31T11:00:00Z'),
  circuitFailures: 12,
  nextProbeAt: new Date('2026-01-31T12:00:30Z'),
  probeUntil: null,
};
const shownClosed: Circuit = { state: 'closed', since: null, failures: 0, next_probe_at: null };
const shownOpen: Circuit = {
  state: 'open',
  since: '2026-01-31T11:00:00.000Z',
  failures: 12,
  next_probe_at: '2026-01-31T12:00:30.000Z',
};
const inMs = (ms: number) => new Date(NOW.getTime() + ms);

test.each<[string, Parameters<typeof viewCircuit>[0], Circuit]>([
  ['nothing special is closed', undefined, shownClosed],
  ['what was never opened is closed', closed, shownClosed],
  ['what was opened is open', open, shownOpen],
  ['a probe whose time is over leaves it open', { ...open, probeUntil: inMs(0) }, shownOpen],
  [
    'a probe that is out makes it half open, and no other is due',
    { ...open, probeUntil: inMs(1) },
    { ...shownOpen, state: 'half_open', next_probe_at: null },
  ],
])('%s', (_, flow, shown) => {
  expect(viewCircuit(flow, NOW)).toEqual(shown);
});
