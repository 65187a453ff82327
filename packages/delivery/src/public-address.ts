import { BlockList, isIP } from 'node:net';

/** A block of addresses, as CIDR, and what it is for. */
export type AddressBlock = readonly [cidr: string, purpose: string];

/**
 * The IANA special-purpose registries, IPv4 (RFC 6890) and IPv6, as of November 2026, with multicast and the
 * deprecated blocks. A block that a registry lists as globally reachable is public, even inside a larger one that is
 * not. What is not IPv6 global unicast (2000::/3) is never public: loopback, mapped, NAT64, unique and link local.
 */
export const ipv4Refused: readonly AddressBlock[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private use'],
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link local, cloud metadata'],
  ['172.16.0.0/12', 'private use'],
  ['192.0.0.0/24', 'IETF protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', '6to4 relays, deprecated'],
  ['192.168.0.0/16', 'private use'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved, limited broadcast'],
];
export const ipv4Reachable: readonly AddressBlock[] = [
  ['192.0.0.9/32', 'port control protocol anycast'],
  ['192.0.0.10/32', 'TURN anycast'],
];

export const ipv6GlobalUnicast: readonly AddressBlock[] = [['2000::/3', 'global unicast']];
export const ipv6Refused: readonly AddressBlock[] = [
  ['2001::/23', 'IETF protocol assignments, Teredo'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4: an IPv4 address in disguise'],
  ['3fff::/20', 'documentation'],
];
export const ipv6Reachable: readonly AddressBlock[] = [
  ['2001:1::1/128', 'port control protocol anycast'],
  ['2001:1::2/128', 'TURN anycast'],
  ['2001:1::3/128', 'DNS-SD registration anycast'],
  ['2001:3::/32', 'AMT'],
  ['2001:4:112::/48', 'AS112'],
  ['2001:20::/28', 'ORCHIDv2'],
  ['2001:30::/28', 'drone remote identification'],
];

const IPV4_REFUSED = listOf(ipv4Refused);
const IPV4_REACHABLE = listOf(ipv4Reachable);
const IPV6_GLOBAL_UNICAST = listOf(ipv6GlobalUnicast);
const IPV6_REFUSED = listOf(ipv6Refused);
const IPV6_REACHABLE = listOf(ipv6Reachable);

/** Whether a request to this address can only reach the public internet. Anything that is not a plain IP is not public. */
export function isPublicAddress(ip: string): boolean {
  if (ip.includes('%')) return false; // a zone: link local by definition
  switch (isIP(ip)) {
    case 4:
      return !IPV4_REFUSED.check(ip, 'ipv4') || IPV4_REACHABLE.check(ip, 'ipv4');
    case 6:
      if (!IPV6_GLOBAL_UNICAST.check(ip, 'ipv6')) return false;
      return !IPV6_REFUSED.check(ip, 'ipv6') || IPV6_REACHABLE.check(ip, 'ipv6');
    default:
      return false;
  }
}

/** Whether the address is in one of the blocks; a zone is in none. */
export function isInside(blocks: BlockList, ip: string): boolean {
  const family = ip.includes('%') ? 0 : isIP(ip);
  return family !== 0 && blocks.check(ip, family === 6 ? 'ipv6' : 'ipv4');
}

function listOf(blocks: readonly AddressBlock[]): BlockList {
  const list = new BlockList();
  for (const [cidr] of blocks) {
    const [network = '', prefix] = cidr.split('/');
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
