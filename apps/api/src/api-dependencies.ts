import type { PrismaClient, RideOut, Sealer } from '@driftwire/database';
import type { AddressPolicy } from '@driftwire/delivery';
import type { DeliveryWakeUp } from '@driftwire/queue';
import type { AttemptReport, WebhookRequest } from '@driftwire/sender';
import type { Accept } from './accept-in-batches.js';
import type { Cursors } from './cursor.js';

/** What the resources need; main.ts makes it, tests make their own. */
export type ApiDeps = {
  prisma: PrismaClient;
  sealer: Sealer;
  /** The database's clock: for whatever is stored, and whatever Postgres or another process judges too. */
  now: () => Date;
  cursors: Cursors;
  /** Null when there is no such customer; remembered for a second. */
  findCustomer: (id: string) => Promise<string | null>;
  accept: Accept;
  /** Reads, and what was never sent, again after an outage of Postgres. */
  rideOut: RideOut;
  addressPolicy: AddressPolicy;
  /** What is wrong with where a URL's name leads, as a sentence; null when nothing is, or nobody knows. */
  checkName: (url: string) => Promise<string | null>;
  /** Of a job; the row's own is set by `accept`. */
  maxAttempts: number;
  maxEndpointsPerCustomer: number;
  /** Returns at once: the answer never waits for Redis. */
  enqueue: (jobs: readonly DeliveryWakeUp[]) => void;
  send: (request: WebhookRequest) => Promise<AttemptReport>;
  onAccepted: (accepted: AcceptedEvent) => void;
};

/** One wide log line and a metric per accepted event. */
export type AcceptedEvent = {
  eventId: string;
  customerId: string;
  eventType: string;
  deliveries: number;
  replayed: boolean;
};
