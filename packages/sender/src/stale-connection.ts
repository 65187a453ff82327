import type { Socket } from 'node:net';
import type { Request } from 'got';
import type { Failure } from './failure.js';

/**
 * A receiver may close a connection that waits, just as the next request is on its way to it. That says nothing about the
 * request, which may go out once more on a new connection (RFC 9112 §9.3.1): if it was heard all the same, its webhook-id
 * tells. Not after a byte of an answer, and not on a connection that was new: there the receiver hung up on the request.
 */
export function watchForStaleness(stream: Request): (failure: Failure) => boolean {
  let socket: Socket | undefined;
  let readBefore = 0;
  stream.on('socket', (assigned: Socket) => {
    socket = assigned;
    readBefore = assigned.bytesRead;
  });
  return ({ kind }) =>
    kind === 'reset' && stream.reusedSocket === true && (socket?.bytesRead ?? readBefore) === readBefore;
}
