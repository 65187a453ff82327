import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createMetrics } from './metrics.js';

const registry = createMetrics('test');

async function lagMs(which: string): Promise<number> {
  const text = await registry.metrics();
  return Number(new RegExp(`^nodejs_eventloop_lag_${which}_seconds\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]) * 1_000;
}

function hold(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('a loop that was held is seen at the next scrape, and not for ever after', async () => {
  hold(900);
  await delay(1);
  expect(await lagMs('max')).toBeGreaterThan(300);
  while ((await lagMs('max')) > 300) await delay(10);
});

test('the names are those of prom-client, so that its dashboards go on showing something', () => {
  const itsOwn = new Registry();
  collectDefaultMetrics({ register: itsOwn });
  const names = (one: Registry) => one.getMetricsAsArray().map(({ name }) => name);
  expect(names(registry).sort()).toEqual(names(itsOwn).sort());
});
