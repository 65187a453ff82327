import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

/** Below the 5 s after which common servers hang up: a request on a connection just closed would be a lost attempt. */
const IDLE_MS = 4000;
/** Node's own 250 ms give up on the only working address of a receiver on the other side of the world. */
const NEXT_ADDRESS_AFTER_MS = 1000;

export type KeepAliveAgents = { http: http.Agent; https: https.Agent; close(): void };

/**
 * Connections that wait for the next attempt are bounded in number and time. Those in use are not: there are as many
 * as attempts in flight, and an attempt queued inside an agent would time out without having been sent.
 */
export function createKeepAliveAgents(lookup: LookupFunction, maxIdleSockets: number): KeepAliveAgents {
  const options = {
    lookup,
    keepAlive: true,
    timeout: IDLE_MS,
    maxFreeSockets: maxIdleSockets,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
  };
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };
  boundIdleSockets(agents.http, maxIdleSockets);
  boundIdleSockets(agents.https, maxIdleSockets);
  return {
    ...agents,
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** `maxFreeSockets` counts per host and `maxTotalSockets` lets idle connections starve new hosts: neither bounds these. */
function boundIdleSockets(agent: http.Agent, maxIdleSockets: number): void {
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => idleSockets(agent) < maxIdleSockets && keepSocketAlive(socket);
}

function idleSockets(agent: http.Agent): number {
  return Object.values(agent.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
}
