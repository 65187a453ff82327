import { readFileSync, writeFileSync } from 'node:fs';
import {
  type AddressBlock,
  ipv4Reachable,
  ipv4Refused,
  ipv6GlobalUnicast,
  ipv6Reachable,
  ipv6Refused,
} from '@driftwire/delivery';
import { expect, test } from '@jest/globals';
import { authorize, type Caller } from '../src/access.js';
import type { Route } from '../src/route.js';
import { roles, routes } from './setup.js';

const PAGE = new URL('../../../docs/security.md', import.meta.url);

/** With UPDATE_DOCS=1 the page is written instead (`npm run docs`). */
function expectInDocs(name: string, text: string): void {
  const [begin, end] = [`<!-- ${name}, written by npm run docs -->`, `<!-- end of ${name} -->`];
  const page = readFileSync(PAGE, 'utf8');
  const [start, stop] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, `${page.slice(0, start)}\n\n${text}\n\n${page.slice(stop)}`);
  else expect(page.slice(start, stop).trim()).toBe(text);
}

test('docs/security.md has the table of routes and roles that the code enforces: npm run docs writes it', () => {
  const callers: [string, Caller][] = [
    ['platform admin', { keyId: null, customerId: null, role: 'admin' }],
    ...roles.map((role): [string, Caller] => [`customer's ${role}`, { keyId: 'k', customerId: 'c', role }]),
  ];
  const rows = routes.map((route) => [
    `\`${route.method} ${route.path}\``,
    ...callers.map(([, caller]) => (isAllowed(caller, route) ? 'yes' : '403')),
  ]);
  expectInDocs('routes and roles', table(['route', ...callers.map(([name]) => name)], rows));
});

test('docs/security.md has the addresses that the code refuses: npm run docs writes it', () => {
  const rows = [
    ...blocks(ipv4Refused, 'refused'),
    ...blocks(ipv4Reachable, 'allowed, inside a refused one'),
    ...blocks(ipv6GlobalUnicast, 'allowed; any other IPv6 address is refused'),
    ...blocks(ipv6Refused, 'refused'),
    ...blocks(ipv6Reachable, 'allowed, inside a refused one'),
  ];
  expectInDocs('addresses', table(['block', 'what it is', 'webhooks'], rows));
});

function isAllowed(caller: Caller, { access }: Route): boolean {
  try {
    authorize(caller, access);
    return true;
  } catch {
    return false;
  }
}

function blocks(list: readonly AddressBlock[], verdict: string): string[][] {
  return list.map(([cidr, purpose]) => [`\`${cidr}\``, purpose, verdict]);
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
