import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { DeliveryStatus, FailureReason } from './generated/enums.js';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/delivery-lifecycle.md', root), 'utf8');

test('the diagram draws every status, and every status has its paragraph', () => {
  const drawn = [...page.matchAll(/^ {4}(\w+|\[\*\]) --> (\w+) :/gm)].flatMap(([, from, to]) => [from, to]);
  const states = new Set(drawn.filter((state) => state !== '[*]'));
  expect([...states].sort()).toEqual(Object.values(DeliveryStatus).sort());
  for (const status of Object.values(DeliveryStatus)) expect(page).toContain(`\n**${status}** — `);
});

test('every reason is explained', () => {
  for (const reason of Object.values(FailureReason)) expect(page).toContain(`\`${reason}\``);
});

test('every statement that moves a delivery is where the page says', () => {
  const rows = [...page.matchAll(/\| `(\w+)` \| `([\w./-]+)` \|/g)];
  expect(rows.length).toBeGreaterThanOrEqual(5);
  for (const [, name, file = ''] of rows) {
    expect(readFileSync(new URL(file, root), 'utf8')).toContain(`export async function ${name}(`);
  }
});
