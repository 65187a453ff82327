import { expect, test } from '@jest/globals';
import { customHeaderProblem } from './custom-headers.js';

test.each([
  ['Authorization', 'Bearer abc.def-123'],
  ['X-Team', 'claims, billing'],
  ['x-api-key', ''],
  ["!#$%&'*+.^_`|~09azAZ-", 'every sign a token may have'],
  ['X-Name', 'Jürgen'],
  ['X-Long', 'a'.repeat(4096)],
  ['Accept', 'application/json'],
  ['X-Signed', 'yes'],
])('%s: %s may be sent', (name, value) => {
  expect(customHeaderProblem(name, value)).toBeNull();
});

test.each(['', ' ', 'X Team', 'X-Team:', 'X-Team\r\n', 'X\0', 'X-Té', 'X(1)', '"X"', 'X,Y', 'X/Y', 'a'.repeat(129)])(
  'the name %j is refused',
  (name) => {
    expect(customHeaderProblem(name, 'value')).toMatch(/^A header name must .*\.$/);
  },
);

test.each([
  'Host',
  'HOST',
  'Content-Length',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Content-Type',
  'Content-Encoding',
  'User-Agent',
  'webhook-id',
  'Webhook-Anything',
  'X-Webhook-Event',
  'X-Signature',
  'x-signature-previous',
  '__proto__',
])('%s belongs to Driftwire or to HTTP', (name) => {
  expect(customHeaderProblem(name, 'value')).toContain(name);
});

test.each([
  'a\r\nX-Other: b',
  'a\rb',
  'a\nb',
  'a\0b',
  'a\tb',
  'a\x7fb',
  'a\x85b',
  'ż',
  '🦆',
  'a'.repeat(4097),
  ' a',
  'a ',
])('the value %j is refused', (value) => {
  expect(customHeaderProblem('X-Team', value)).toMatch(/^A header value must .*\.$/);
});
