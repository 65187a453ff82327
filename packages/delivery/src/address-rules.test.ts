import { BlockList } from 'node:net';
import { expect, test } from '@jest/globals';
import { defaultPorts, isAllowedAddress, urlProblem } from './address-rules.js';

const strict = { allowPrivate: false, ports: defaultPorts };
const development = { allowPrivate: true, ports: defaultPorts };

test.each([
  'https://example.com',
  'https://example.com/hooks?tenant=1&x=%20',
  'HTTPS://Example.COM:443/',
  'https://example.com:8443/',
  'https://example.com./hooks',
  'https://münchen.example.com/',
  'https://under_score.example.com/',
  'https://8.8.8.8/',
  'https://[2606:4700:4700::1111]/',
  'https://localhost.example.com/',
  'https://local.example.com/',
  'https://nowhere.invalid/',
  `https://example.com/${'a'.repeat(2048 - 20)}`,
])('%s may be an endpoint', (url) => {
  expect(urlProblem(url, strict)).toBeNull();
});

test.each([
  ['nothing', ''],
  ['no URL', 'example.com/hooks'],
  ['a path', '/hooks'],
  ['no host', 'https://'],
  ['no slashes', 'https:example.com'],
  ['three slashes', 'https:///example.com'],
  ['2,049 characters', `https://example.com/${'a'.repeat(2049 - 20)}`],
  ['3 kB', `https://example.com/${'a'.repeat(3000)}`],
  ['a user name', 'https://user@example.com/'],
  ['a password', 'https://:secret@example.com/'],
  ['a backslash', 'https://example.com\\@evil.example/'],
  ['the backslash of FAULTS', 'http://a\\@b/'],
  ['a space in front', ' https://example.com/'],
  ['a space inside', 'https://example.com/a b'],
  ['a tab the parser would drop', 'https://exam\tple.com/'],
  ['a line break the parser would drop', 'https://example.com/\r\nX: y'],
  ['a NUL', 'https://example.com/\0'],
  ['an invisible character the parser would drop', 'https://exam\u00adple.com/'],
  ['a zero-width space', 'https://exam\u200bple.com/'],
  ['a fragment', 'https://example.com/#a'],
  ['an empty label', 'https://a..example.com/'],
  ['a star in the host', 'https://*.example.com/'],
  ['a port beyond 65535', 'https://example.com:65536/'],
])('%s is refused, in development too', (_, url) => {
  expect(urlProblem(url, strict)).toMatch(/^The .*\.$/);
  expect(urlProblem(url, development)).toMatch(/^The .*\.$/);
});

test.each([
  'file:///etc/passwd',
  'ftp://example.com/',
  'gopher://example.com/',
  'ws://example.com/',
  'javascript:alert(1)',
  'data:,x',
])('the scheme of %s is refused, in development too', (url) => {
  expect(urlProblem(url, strict)).not.toBeNull();
  expect(urlProblem(url, development)).not.toBeNull();
});

test.each([
  ['http', 'http://example.com/'],
  ['http on 443', 'http://example.com:443/'],
  ['port 22', 'https://example.com:22/'],
  ['port 80', 'https://example.com:80/'],
  ['port 0', 'https://example.com:0/'],
  ['localhost', 'https://localhost/'],
  ['localhost with a dot', 'https://localhost./'],
  ['a name under localhost', 'https://app.localhost/'],
  ['a single label', 'https://billing/'],
  ['.local', 'https://printer.local/'],
  ['.LOCAL.', 'https://printer.LOCAL./'],
  ['.internal', 'https://metadata.google.internal/'],
  ['home.arpa', 'https://home.arpa/'],
  ['.home.arpa', 'https://nas.home.arpa/'],
  ['.lan', 'https://nas.lan/'],
  ['.corp', 'https://wiki.corp/'],
  ['an ideographic full stop before local', 'https://printer\u3002local/'],
  ['loopback', 'https://127.0.0.1/'],
  ['loopback with a dot', 'https://127.0.0.1./'],
  ['loopback in decimal', 'https://2130706433/'],
  ['loopback in hex', 'https://0x7f000001/'],
  ['loopback in octal', 'https://0177.0.0.1/'],
  ['loopback in short', 'https://127.1/'],
  ['loopback in a mix', 'https://0x7f.1/'],
  ['loopback in full-width digits', 'https://\uff11\uff12\uff17.0.0.1/'],
  ['loopback in percent escapes', 'https://%31%32%37.0.0.1/'],
  ['loopback in circled digits', 'https://\u2460\u2461\u2466.0.0.1/'],
  ['zero', 'https://0/'],
  ['192.168.1.1 in short', 'https://192.168.257/'],
  ['cloud metadata', 'https://169.254.169.254/latest/meta-data/'],
  ['IPv6 loopback', 'https://[::1]/'],
  ['IPv6 loopback in full', 'https://[0:0:0:0:0:0:0:1]/'],
  ['mapped loopback', 'https://[::ffff:127.0.0.1]/'],
  ['mapped loopback in hex', 'https://[::ffff:7f00:1]/'],
  ['NAT64', 'https://[64:ff9b::7f00:1]/'],
  ['6to4', 'https://[2002:7f00:1::]/'],
  ['unique local', 'https://[fd00::1]/'],
])('%s is refused, but not in development', (_, url) => {
  expect(urlProblem(url, strict)).toMatch(/^The .*\.$/);
  expect(urlProblem(url, development)).toBeNull();
});

test('an operator may list other ports', () => {
  expect(urlProblem('https://example.com:9443/', { allowPrivate: false, ports: [443, 9443] })).toBeNull();
  expect(urlProblem('https://example.com:8443/', { allowPrivate: false, ports: [443, 9443] })).toBe(
    "The URL's port must be one of 443, 9443.",
  );
});

test('an operator may open addresses, and nothing else', () => {
  const opened = new BlockList();
  opened.addSubnet('10.20.0.0', 16, 'ipv4');
  opened.addSubnet('fd12::', 16, 'ipv6');
  const policy = { allowPrivate: false, ports: [443], opened };
  for (const url of ['https://10.20.1.2/', 'https://[fd12::1]/', 'https://hooks.internal/', 'https://billing/']) {
    expect([url, urlProblem(url, policy)]).toEqual([url, null]);
  }
  for (const url of ['https://10.21.0.1/', 'https://[fd13::1]/', 'https://127.0.0.1/', 'https://169.254.169.254/']) {
    expect(urlProblem(url, policy)).toMatch(/is not a public one/);
  }
  expect(urlProblem('http://10.20.1.2/', policy)).toBe('The URL must start with https://.');
  expect(urlProblem('https://10.20.1.2:8080/', policy)).toMatch(/port/);
});

test.each([
  ['10.20.1.2', true],
  ['10.20.255.255', true],
  ['10.19.255.255', false],
  ['10.21.0.0', false],
  ['fd12::1', true],
  ['fd13::1', false],
  ['fd12::1%eth0', false],
  ['10.20.1', false],
  ['hooks.internal', false],
])('what a name resolves to is judged alike: %s', (ip, isAllowed) => {
  const opened = new BlockList();
  opened.addSubnet('10.20.0.0', 16, 'ipv4');
  opened.addSubnet('fd12::', 16, 'ipv6');
  expect(isAllowedAddress(ip, { allowPrivate: false, ports: [443], opened })).toBe(isAllowed);
});
