import { expect, test } from '@jest/globals';
import { findFreePorts } from './free-port.js';

test('free ports differ and lie below those the system hands out to clients', async () => {
  const ports = await findFreePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  }
});
