import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request } from 'got';
import type { Phases } from './attempt-report.js';
import { createBodyStart } from './body-start.js';
import { type Failure, failure, failureOf } from './failure.js';
import { isConnected, phasesOf } from './phases.js';
import { OVER, startTimeLimit } from './time-limit.js';

/** Far more than anyone needs, and a stop for a receiver that never gets beyond 1xx. */
const MAX_INFORMATIONAL = 1000;

const WITHOUT_RESPONSE = failure('protocol', 'the connection ended without a response');
const ENDLESS_INFORMATIONAL = failure('protocol', `more than ${MAX_INFORMATIONAL} informational responses`);

export type ResponseHead = Pick<IncomingMessage, 'statusCode' | 'headers'>;

/** What came back. Once the head of a response has arrived it decides, so there is no failure beside it. */
export type Exchange = { phases: Phases } & ({ head: ResponseHead; body: Buffer } | { head: null; failure: Failure });

/**
 * One request, up to the last byte of the response worth reading. Resolves once, whatever the receiver does, and
 * leaves nothing behind: no timer, no half-read response.
 */
export function exchange(open: () => Request, withinMs: number): Promise<Exchange> {
  if (withinMs <= 0) return Promise.resolve(unsent(OVER));
  return new Promise((resolve) => {
    const stream = open();
    const body = createBodyStart();
    let head: ResponseHead | null = null;

    const finish = (reason = WITHOUT_RESPONSE) => {
      clearTimeLimit();
      stream.destroy();
      const phases = phasesOf(stream);
      resolve(head === null ? { head, failure: reason, phases } : { head, body: body.bytes(), phases });
    };
    const clearTimeLimit = startTimeLimit(withinMs, { mayBeAnswered: () => isConnected(stream), giveUp: finish });

    stream.on('response', (response) => {
      head = response;
    });
    stream.on('data', (chunk: Buffer) => {
      if (body.take(chunk) === 'enough') finish();
    });
    stream.on('end', () => finish());
    onUpgrade(stream, (response) => {
      head = response;
      finish();
    });
    onFailure(stream, finish);
  });
}

/** The exchange of an attempt that never touched the network. */
export function unsent(reason: Failure): Exchange {
  return { head: null, failure: reason, phases: {} };
}

/**
 * A 101 is a head like any other, but an event of its own. got listens for it, which makes Node hand us the socket:
 * not closed here, it would stay open for ever.
 */
function onUpgrade(stream: Request, take: (head: ResponseHead) => void): void {
  stream.on('upgrade', (response: ResponseHead, socket: Duplex) => {
    socket.on('error', ignore);
    socket.destroy();
    take(response);
  });
}

function onFailure(stream: Request, finish: (reason: Failure) => void): void {
  let informational = 0;
  stream.on('information', () => {
    informational += 1;
    if (informational > MAX_INFORMATIONAL) finish(ENDLESS_INFORMATIONAL);
  });
  stream.on('error', (error: unknown) => finish(failureOf(error)));
  // got listens for one error only; bytes after the end of a response can bring Node's parser to report a second.
  stream.on('request', (request: ClientRequest) => request.on('error', ignore));
}

function ignore(): void {}
