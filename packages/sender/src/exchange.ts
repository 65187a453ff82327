import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request } from 'got';
import type { Phases } from './attempt-report.js';
import { createBodyStart, type ReadBody } from './body-start.js';
import { type Failure, failure, failureOf, isUnasked } from './failure.js';
import { isConnected, phasesOf } from './phases.js';
import { watchForStaleness } from './stale-connection.js';
import type { Standstill } from './standstill.js';
import { OVER, startTimeLimit } from './time-limit.js';
import { type Withheld, withheldBecause } from './withheld.js';

/** Far more than anyone needs, and a stop for a receiver that never gets beyond 1xx. */
const MAX_INFORMATIONAL = 1000;

const WITHOUT_RESPONSE = failure('protocol', 'the connection ended without a response');
const ENDLESS_INFORMATIONAL = failure('protocol', `more than ${MAX_INFORMATIONAL} informational responses`);

/** `kept`: on a connection that waits from an earlier request, if there is one. */
export type OpenRequest = (connection: 'kept' | 'new') => Request;

export type ResponseHead = Pick<IncomingMessage, 'statusCode' | 'headers'>;

/** What came back. Once the head of a response has arrived it decides, so there is no failure beside it. */
export type Exchange = { phases: Phases } & (
  | { head: ResponseHead; body: ReadBody }
  | { head: null; failure: Failure; withheld: Withheld | null }
);

export type Bounds = { withinMs: number; standstill: Standstill };

/**
 * One request, up to the last byte of the response worth reading; sent a second time, within the same limit, if the connection
 * it went out on turns out to have been closed. Resolves once, whatever the receiver does, and leaves nothing behind: no
 * timer, no half-read response.
 */
export function exchange(open: OpenRequest, { withinMs, standstill }: Bounds): Promise<Exchange> {
  if (withinMs <= 0) return Promise.resolve(unsent(OVER, 'late'));
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const askStandstill = standstill.watch();
    const elapsedMs = () => performance.now() - startedMs;
    const body = createBodyStart();
    let stream = open('kept');
    let head: ResponseHead | null = null;
    let wasSent = false;
    let resent: Phases = {};

    const finish = (failure = WITHOUT_RESPONSE, error?: unknown) => {
      const stoodStillMs = askStandstill();
      clearTimeLimit();
      stream.destroy();
      const phases = { ...resent, ...phasesOf(stream, elapsedMs()) };
      if (head !== null) return resolve({ head, body: body.read(), phases });
      const withheld = withheldBecause({
        failure,
        isUnasked: isUnasked(error),
        mayHaveLeft: isConnected(stream) || wasSent,
        withinMs,
        elapsedMs: elapsedMs(),
        stoodStillMs,
      });
      resolve({ head, failure, withheld, phases });
    };
    const clearTimeLimit = startTimeLimit(withinMs, { mayBeAnswered: () => isConnected(stream), giveUp: finish });

    const follow = () => {
      const isStale = watchForStaleness(stream);
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
      onFailure(stream, (reason, error) => {
        if (head === null && isStale(reason)) sendAgain();
        else finish(reason, error);
      });
    };
    /** Once at most: the second connection is new, and what is new is never stale. */
    const sendAgain = () => {
      stream.destroy();
      wasSent = true;
      resent = { stale_connection: Math.round(elapsedMs()) };
      stream = open('new');
      follow();
    };
    follow();
  });
}

/** The exchange of an attempt that never touched the network. */
export function unsent(failure: Failure, withheld: Withheld | null = null): Exchange {
  return { head: null, failure, withheld, phases: {} };
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

function onFailure(stream: Request, finish: (reason: Failure, error?: unknown) => void): void {
  let informational = 0;
  stream.on('information', () => {
    informational += 1;
    if (informational > MAX_INFORMATIONAL) finish(ENDLESS_INFORMATIONAL);
  });
  stream.on('error', (error: unknown) => finish(failureOf(error), error));
  // got listens for one error only; bytes after the end of a response can bring Node's parser to report a second.
  stream.on('request', (request: ClientRequest) => request.on('error', ignore));
}

function ignore(): void {}
