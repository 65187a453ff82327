import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

/** Below the 5 s after which common servers hang up: a request on a connection just closed has to be sent twice. */
const IDLE_MS = 4000;
/** Node's own 250 ms give up on the only working address of a receiver on the other side of the world. */
const NEXT_ADDRESS_AFTER_MS = 1000;

export type Agents = { http: http.Agent; https: https.Agent };
export type KeepAliveAgents = {
  /** Take a connection that waits, if there is one, and let theirs wait for the next attempt. */
  keeping: Agents;
  /** Make a connection for the one request, and say so to the receiver. */
  fresh: Agents;
  close(): void;
};

/**
 * Connections that wait for the next attempt are bounded in number and time. Those in use are not: there are as many
 * as attempts in flight, and an attempt queued inside an agent would time out without having been sent.
 */
export function createKeepAliveAgents(lookup: LookupFunction, maxIdleSockets: number): KeepAliveAgents {
  const connecting = { lookup, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS };
  const keeping = agents({ ...connecting, keepAlive: true, timeout: IDLE_MS, maxFreeSockets: maxIdleSockets });
  const fresh = agents({ ...connecting, keepAlive: false });
  boundIdleSockets(keeping.http, maxIdleSockets);
  boundIdleSockets(keeping.https, maxIdleSockets);
  return {
    keeping,
    fresh,
    close: () => {
      for (const agent of [keeping.http, keeping.https, fresh.http, fresh.https]) agent.destroy();
    },
  };
}

function agents(options: http.AgentOptions): Agents {
  return { http: new http.Agent(options), https: new https.Agent(options) };
}

/** `maxFreeSockets` counts per host and `maxTotalSockets` lets idle connections starve new hosts: neither bounds these. */
function boundIdleSockets(agent: http.Agent, maxIdleSockets: number): void {
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => idleSockets(agent) < maxIdleSockets && keepSocketAlive(socket);
}

function idleSockets(agent: http.Agent): number {
  return Object.values(agent.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
}
