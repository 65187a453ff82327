import { choosePaint } from '@driftwire/terminal';
import { expect, test } from '@jest/globals';
import { properEvidence } from '../../test/demo-evidence.js';
import { writeReport } from './report.js';

const plain = choosePaint({ isTTY: false, env: {} });
const colored = choosePaint({ isTTY: true, env: {} });

test('an event and its deliveries stand side by side', () => {
  const report = writeReport(properEvidence(), plain);
  expect(report).toContain(`
drift.data.temperature.high     healthy   success           200               21 ms
Seattle winter 8.0 → 10.9 °C    flaky     success           500 → 500 → 200  1.75 s
severity 1.00 ██████████        failing   failed/exhausted  500 → 500 → 500  1.75 s
`);
});

test('each receiver’s count stands beside the record’s', () => {
  const evidence = properEvidence();
  evidence.witnesses[1]?.received.pop();
  const report = writeReport(evidence, plain);
  expect(report).toMatch(/^healthy +always 200 +drift\.data\.\* +8 = 8 +8 = 8$/m);
  expect(report).toMatch(/^flaky +500 twice, then 200 +drift\.data\.temperature\.\* +20 ≠ 21 +6 ≠ 7$/m);
  expect(report).toMatch(/^failing +always 500 +\* from severity 0\.5 +12 = 12 +0 = 0$/m);
});

test('the sum counts what was verified', () => {
  const evidence = properEvidence();
  expect(writeReport(evidence, plain)).toContain(
    '8 drift events, 19 deliveries, 41 attempts.\nAll 41 signatures verified',
  );
  Object.assign(evidence.witnesses[0]?.received[0] ?? {}, { signatureProblem: 'no match' });
  expect(writeReport(evidence, plain)).toContain('40 of 41 signatures verified');
});

test('a delivery that is missing or unfinished is shown as such', () => {
  const evidence = properEvidence();
  evidence.deliveries.splice(0, 1);
  Object.assign(evidence.deliveries[0] ?? {}, { status: 'retrying', completed_at: null });
  expect(writeReport(evidence, plain)).toMatch(/healthy +missing$/m);
  expect(writeReport(evidence, plain)).toMatch(/flaky +retrying +500 → 500 → 200 +–$/m);
});

test('no line is wider than a terminal, and colours change nothing but the colour', () => {
  const report = writeReport(properEvidence(), plain);
  for (const line of report.split('\n')) expect(line.length).toBeLessThanOrEqual(84);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
  const stripped = writeReport(properEvidence(), colored).replaceAll(/\x1b\[\d+m/g, '');
  expect(stripped.replaceAll(/ +$/gm, '')).toBe(report);
});
