import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type EndpointName, STEADY_ENDPOINTS, SUBSCRIPTIONS } from './endpoints.js';
import type { ReceivedRequest } from './oracle/evidence.js';
import { performReply } from './perform-reply.js';
import { type ReadingLag, watchReadingLag } from './reading-lag.js';
import { planReply, type Reply } from './reply-plan.js';
import { readWebhook } from './webhook.js';

export type ReceiverEndpoint = { name: EndpointName; url: string; subscribesTo: readonly string[] };

export type Receivers = {
  endpoints: ReceiverEndpoint[];
  /** Every request so far, in order of arrival. */
  requests: ReceivedRequest[];
  /** From now on all but those that always answer and the poison do this to every request; null ends it. */
  trouble: (reply: Reply | null) => void;
  /** From now on this one does, until what is returned is called; of several outages the last to begin counts. */
  putOut: (name: EndpointName, reply: Reply) => () => void;
  /** Runs once, right before `steady` answers its next request, and what it returns right after. */
  aroundNextAnswer: (act: AroundAnswer | null) => void;
  close: () => Promise<void>;
};

export type AroundAnswer = () => () => void;

type Outage = { name: EndpointName; reply: Reply };

type Ground = {
  seed: number;
  requests: ReceivedRequest[];
  asked: Map<string, number>;
  trouble: Reply | null;
  outages: Outage[];
  lag: ReadingLag;
  aroundNextAnswer: AroundAnswer | null;
  killSender: (socket: { remotePort: number; localPort: number }) => void;
};

const NAMES = ['steady', 'slow', 'frail', 'flaky', 'busy', 'paced', 'broken', 'gone', 'paused', 'poison'] as const;

/** Real HTTP servers in this process, one per endpoint, each with its character. */
export async function startReceivers(options: Pick<Ground, 'seed' | 'killSender'>): Promise<Receivers> {
  const ground: Ground = { ...options, ...emptyGround(), lag: watchReadingLag() };
  const servers = await Promise.all(NAMES.map((name) => listen(ground, name)));
  return {
    endpoints: servers.map(({ name, url }) => ({ name, url, subscribesTo: SUBSCRIPTIONS[name] })),
    requests: ground.requests,
    trouble: (reply) => {
      ground.trouble = reply;
    },
    putOut: (name, reply) => {
      const outage = { name, reply };
      ground.outages = [...ground.outages, outage];
      return () => {
        ground.outages = ground.outages.filter((one) => one !== outage);
      };
    },
    aroundNextAnswer: (act) => {
      ground.aroundNextAnswer = act;
    },
    close: async () => {
      ground.lag.stop();
      await Promise.all(servers.map(({ server }) => closeServer(server)));
    },
  };
}

function emptyGround() {
  return { requests: [], asked: new Map(), trouble: null, outages: [], aroundNextAnswer: null };
}

async function listen(
  ground: Ground,
  name: EndpointName,
): Promise<{ name: EndpointName; url: string; server: Server }> {
  // No limits of its own: a connection that is kept open must never be closed under a request that has just been sent.
  const limits = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  const server = createServer(limits, (request, response) => void receive(ground, name, { request, response }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { name, server, url: `http://127.0.0.1:${portOf(server)}/` };
}

type Exchange = { request: IncomingMessage; response: ServerResponse };

async function receive(ground: Ground, name: EndpointName, { request, response }: Exchange): Promise<void> {
  const arrival = { arrivedAt: Date.now(), arrivedSince: ground.lag.arrivedSince() };
  const { n, ...webhook } = await readWebhook(request);
  const received: ReceivedRequest = {
    ...webhook,
    ...arrival,
    endpoint: name,
    status: null,
    endedAt: null,
    overAt: null,
  };
  ground.requests.push(received);
  response.once('close', () => {
    received.endedAt ??= Date.now();
    received.overAt ??= ground.lag.arrivedSince();
  });
  const nth = (ground.asked.get(webhook.deliveryId) ?? 0) + 1;
  ground.asked.set(webhook.deliveryId, nth);
  const reply =
    outageReply(ground, name) ?? troubledReply(ground, name) ?? planReply(ground.seed, { endpoint: name, n, nth });
  if (reply.kind === 'answer' && reply.afterMs !== undefined) await pause(reply.afterMs);
  if (reply.kind === 'kill-sender') ground.killSender(portsOf(request));
  const afterwards = name === 'steady' ? actBeforeAnswer(ground) : undefined;
  const answeredAt = Date.now();
  received.status = performReply(reply, response);
  if (received.status !== null) received.overAt ??= answeredAt;
  afterwards?.();
}

function outageReply({ outages }: Ground, name: EndpointName): Reply | undefined {
  return outages.findLast((outage) => outage.name === name)?.reply;
}

function troubledReply({ trouble }: Ground, name: EndpointName): Reply | null {
  return name === 'poison' || STEADY_ENDPOINTS.includes(name) ? null : trouble;
}

function actBeforeAnswer(ground: Ground): (() => void) | undefined {
  const act = ground.aroundNextAnswer;
  ground.aroundNextAnswer = null;
  return act?.();
}

function portsOf({ socket }: IncomingMessage): { remotePort: number; localPort: number } {
  return { remotePort: socket.remotePort ?? 0, localPort: socket.localPort ?? 0 };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a TCP port');
  return address.port;
}
