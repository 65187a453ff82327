import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { canFindSocketOwners, findInode, findSocketOwner } from './socket-owner.js';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:C350 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000     0        0 222 1`;

test("the inode is that of the sender's end, not of ours", () => {
  expect(findInode(TABLE, 0xc350, 0x0bb8)).toBe('222');
  expect(findInode(TABLE, 0xc351, 0x0bb8)).toBeUndefined();
});

(canFindSocketOwners() ? test : test.skip)('a connection is found among the processes', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const localPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const client = connect(localPort, '127.0.0.1');
  await once(client, 'connect');
  const ports = { remotePort: client.localPort ?? 0, localPort };
  expect(findSocketOwner(ports, [1_000_000_000, process.pid])).toBe(process.pid);
  expect(findSocketOwner(ports, [1_000_000_000])).toBeUndefined();
  client.destroy();
  server.close();
});
