import { expect, test } from '@jest/globals';
import { isPublicAddress } from './public-address.js';

/** Both edges of every block of the IANA special-purpose registries that is not globally reachable, and its neighbours. */
const ipv4Blocks: [name: string, first: string, last: string, before: string | null, after: string | null][] = [
  ['this network', '0.0.0.0', '0.255.255.255', null, '1.0.0.0'],
  ['10/8', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['carrier-grade NAT', '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['loopback', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['link local', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['172.16/12', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['protocol assignments', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['documentation 1', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['6to4 relays', '192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['192.168/16', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['benchmarking', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['documentation 2', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['documentation 3', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['multicast', '224.0.0.0', '239.255.255.255', '223.255.255.255', null],
  ['reserved and broadcast', '240.0.0.0', '255.255.255.255', null, null],
];

const ipv6Blocks: typeof ipv4Blocks = [
  ['below global unicast', '::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', null, '2000::'],
  ['above global unicast', '4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', null, null],
  [
    'protocol assignments',
    '2001::',
    '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff',
    '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    '2001:200::',
  ],
  [
    'documentation',
    '2001:db8::',
    '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
    '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff',
    '2001:db9::',
  ],
  ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::'],
  [
    'new documentation',
    '3fff::',
    '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff',
    '3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    '3fff:1000::',
  ],
];

test.each([...ipv4Blocks, ...ipv6Blocks])(
  '%s is refused from edge to edge, its neighbours are not',
  (_, first, last, before, after) => {
    expect([first, last].filter(isPublicAddress)).toEqual([]);
    const neighbours = [before, after].flatMap((ip) => ip ?? []);
    expect(neighbours.filter(isPublicAddress)).toEqual(neighbours);
  },
);

test.each([
  ['loopback', '::1'],
  ['mapped public', '::ffff:8.8.8.8'],
  ['mapped private', '::ffff:10.0.0.1'],
  ['mapped in hex', '::ffff:7f00:1'],
  ['IPv4-compatible', '::8.8.8.8'],
  ['NAT64', '64:ff9b::8.8.8.8'],
  ['local NAT64', '64:ff9b:1::1'],
  ['discard', '100::1'],
  ['Teredo', '2001:0:4136:e378::1'],
  ['benchmarking', '2001:2::1'],
  ['old ORCHID', '2001:10::1'],
  ['6to4 of 10.0.0.1', '2002:a00:1::1'],
  ['segment routing', '5f00::1'],
  ['unique local', 'fd12:3456:789a::1'],
  ['link local', 'fe80::1'],
  ['link local with a zone', 'fe80::1%eth0'],
  ['a public address with a zone', '2606:4700::1111%eth0'],
  ['site local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['cloud metadata', '169.254.169.254'],
  ['cloud metadata over IPv6', 'fd00:ec2::254'],
  ['a name', 'example.com'],
  ['an odd spelling', '0x7f.1'],
  ['a number', '2130706433'],
  ['brackets', '[2606:4700::1111]'],
  ['nothing', ''],
])('%s is not public', (_, ip) => {
  expect(isPublicAddress(ip)).toBe(false);
});

test.each([
  ['IPv4', '8.8.8.8'],
  ['IPv6', '2606:4700:4700::1111'],
  ['AS112 over IPv4', '192.31.196.1'],
  ['AMT', '192.52.193.1'],
  ['direct delegation AS112', '192.175.48.1'],
  ['port control anycast', '192.0.0.9'],
  ['TURN anycast', '192.0.0.10'],
  ['port control anycast over IPv6', '2001:1::1'],
  ['registration anycast over IPv6', '2001:1::3'],
  ['AMT over IPv6', '2001:3:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['AS112 over IPv6', '2001:4:112:ffff:ffff:ffff:ffff:ffff'],
  ['ORCHIDv2', '2001:20::1'],
  ['drone remote identification', '2001:3f:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['direct delegation AS112 over IPv6', '2620:4f:8000::1'],
])('%s is listed as globally reachable, or not listed at all', (_, ip) => {
  expect(isPublicAddress(ip)).toBe(true);
});

test.each([
  '192.0.0.8',
  '192.0.0.11',
  '192.0.0.170',
  '2001:1::',
  '2001:1::4',
  '2001:4:111:ffff::',
  '2001:4:113::',
  '2001:40::',
])('%s, next to a reachable block, is refused', (ip) => {
  expect(isPublicAddress(ip)).toBe(false);
});
