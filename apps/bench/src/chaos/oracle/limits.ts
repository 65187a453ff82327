import type { DeliveryStory } from './delivery-story.js';
import type { EndpointRow, Promises, ReceivedRequest, Violation } from './evidence.js';
import { groupBy } from './group-by.js';
import { leaseEnd } from './leases.js';

/** A request from one moment to another, by what is certain about it. */
type Stretch = { deliveryId: string; from: number; to: number };

const WINDOW_MS = 1_000;

/**
 * `max_in_flight`, as the receiver sees it. A request is certainly in flight from when it has been read until it is answered or its sender
 * may have hung up, whether that one still lives or not; but not past its lease: what a frozen worker has left open counts no longer.
 */
export function findCrowdsOfRequests(stories: readonly DeliveryStory[], { leaseMs }: Promises): Violation[] {
  return [...byEndpoint(stories)].flatMap(([{ name, maxInFlight }, ofEndpoint]) => {
    if (maxInFlight === null) return [];
    const stretches = ofEndpoint.flatMap(({ requests, attempts }) =>
      requests.map((request) => inFlight(request, leaseEnd(request, leaseMs, attempts))),
    );
    return crowdsOf(stretches, maxInFlight).map((crowd) => ({
      rule: 'no more requests at once than max_in_flight',
      ids: crowd.map(({ deliveryId }) => deliveryId),
      sentence: `${name} had ${crowd.length} requests at once, and ${maxInFlight} is the most${writeTime(crowd.at(-1)?.from)}`,
    }));
  });
}

/**
 * `max_per_second`, as the receiver sees it, and a tenth more. A request counts in a second only if all of its way lies there, from its
 * beginning by the record to where it was read: a worker that is frozen or a receiver that is behind may hold up some, and then they come
 * together, which no sender can prevent. What is repeated because its connection was closed under it is one request.
 */
export function findRushesOfRequests(stories: readonly DeliveryStory[]): Violation[] {
  return [...byEndpoint(stories)].flatMap(([{ name, maxPerSecond }, ofEndpoint]) => {
    if (maxPerSecond === null) return [];
    const most = mostInASecond(maxPerSecond);
    return rushesOf(ofEndpoint.flatMap(waysOf), most).map((rush) => ({
      rule: 'no more requests a second than max_per_second and a tenth',
      ids: rush.map(({ deliveryId }) => deliveryId),
      sentence: `${name} got ${rush.length} requests within a second, and ${most} is the most${writeTime(rush.at(-1)?.to)}`,
    }));
  });
}

/** For whoever looks into logs. */
function writeTime(cameAt: number | undefined): string {
  return cameAt === undefined ? '' : ` (${new Date(cameAt).toISOString()})`;
}

function byEndpoint(stories: readonly DeliveryStory[]): [EndpointRow, DeliveryStory[]][] {
  return [...groupBy(stories, ({ endpoint }) => endpoint)].flatMap(([endpoint, ofEndpoint]) =>
    endpoint === undefined ? [] : [[endpoint, ofEndpoint]],
  );
}

function inFlight({ deliveryId, arrivedAt, overAt }: ReceivedRequest, leaseEndsAt: number): Stretch {
  return { deliveryId, from: arrivedAt, to: Math.min(overAt ?? leaseEndsAt, leaseEndsAt) };
}

/** Each time that one comes which is too much: those that are in flight then. */
function crowdsOf(stretches: readonly Stretch[], most: number): Stretch[][] {
  const crowds: Stretch[][] = [];
  let flying: Stretch[] = [];
  for (const stretch of stretches.toSorted((one, other) => one.from - other.from)) {
    flying = [...flying.filter(({ to }) => to > stretch.from), stretch];
    if (flying.length > most) crowds.push(flying);
  }
  return crowds;
}

/** A tenth of 20 is 2, whatever binary fractions say. */
function mostInASecond(perSecond: number): number {
  return Math.max(1, Math.ceil(Number((perSecond * 1.1).toFixed(6))));
}

function waysOf({ requests, attempts }: DeliveryStory): Stretch[] {
  const sendings = [...groupBy(requests, ({ number }) => number).values()];
  return sendings.flatMap(([first]) => {
    if (first === undefined) return [];
    const { deliveryId, number, arrivedSince, arrivedAt } = first;
    const startedAt = attempts.find((attempt) => attempt.number === number)?.startedAt ?? arrivedSince;
    return [{ deliveryId, from: Math.min(startedAt, arrivedSince), to: arrivedAt }];
  });
}

/** Those within a second of one that is too much; no request is in two. */
function rushesOf(stretches: readonly Stretch[], most: number): Stretch[][] {
  const rushes: Stretch[][] = [];
  let second: Stretch[] = [];
  for (const way of stretches.toSorted((one, other) => one.to - other.to)) {
    second = [...second, way].filter(({ from }) => from > way.to - WINDOW_MS);
    if (second.length <= most) continue;
    rushes.push(second);
    second = [];
  }
  return rushes;
}
