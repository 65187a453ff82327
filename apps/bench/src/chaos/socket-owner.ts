import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux only: elsewhere nobody says which process a connection belongs to. */
export function canFindSocketOwners(): boolean {
  return existsSync('/proc/net/tcp');
}

/** Which of these processes holds the loopback connection from `remotePort` to our `localPort`. */
export function findSocketOwner(
  { remotePort, localPort }: { remotePort: number; localPort: number },
  pids: readonly number[],
): number | undefined {
  const inode = findInode(readFileSync('/proc/net/tcp', 'utf8'), remotePort, localPort);
  return inode === undefined ? undefined : pids.find((pid) => holdsSocket(pid, inode));
}

/** proc(5): local address, remote address, both as hex `address:port`; the inode is the tenth column. */
export function findInode(table: string, from: number, to: number): string | undefined {
  const lines = table.split('\n').map((line) => line.trim().split(/\s+/));
  const line = lines.find(([, local, remote]) => local?.endsWith(hexPort(from)) && remote?.endsWith(hexPort(to)));
  return line?.[9];
}

function hexPort(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

function holdsSocket(pid: number, inode: string): boolean {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).some((fd) => readLink(`${directory}/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false;
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed between the listing and the look.
    return '';
  }
}
