import { until } from '@driftwire/local-servers';
import { type Session, withSession } from '../../stack/database-session.js';
import type { EndpointName } from '../endpoints.js';

/** Asked again and again: true when it has come since it was first asked. */
export type Moment = (session: Session) => Promise<boolean>;

const WITHIN_MS = 20_000;
const ASK_EVERY_MS = 5;
const CONNECT_EVERY_MS = 100;

/** Whether it came in time. Postgres may go away and come back meanwhile. */
export function comes(databaseUrl: string, moment: Moment, signal: AbortSignal): Promise<boolean> {
  const endsAt = Date.now() + WITHIN_MS;
  const askInASession = () =>
    withSession(databaseUrl, (session) =>
      until(() => moment(session), { deadlineMs: endsAt - Date.now(), everyMs: ASK_EVERY_MS, signal }),
    ).catch(() => false);
  return until(askInASession, { deadlineMs: WITHIN_MS, everyMs: CONNECT_EVERY_MS, signal });
}

/** Of these endpoints the first whose circuit is closed, as soon as there is one. */
export async function closedCircuit(
  databaseUrl: string,
  names: readonly EndpointName[],
  signal: AbortSignal,
): Promise<EndpointName | undefined> {
  let found: EndpointName | undefined;
  await comes(
    databaseUrl,
    async ({ query }) => {
      const open = await query<{ name: string }>(OPEN_CIRCUITS);
      found = names.find((one) => open.every(({ name }) => name !== one));
      return found !== undefined;
    },
    signal,
  );
  return found;
}

const OPEN_CIRCUITS = `
  SELECT name FROM endpoints JOIN endpoint_flow ON endpoint_id = endpoints.id WHERE circuit_opened_at IS NOT NULL`;

/** Where a circuit is open it is the API that holds, and a probe that is let go. */
const BY_WORKERS = `hold_reason IN ('crowded', 'rate_limited')`;

/** Deliveries are held that were not. */
export function deliveriesAreHeld(): Moment {
  return rises((session) => countDeliveries(session, BY_WORKERS));
}

/** Deliveries are held no longer. */
export function deliveriesAreLetGo(): Moment {
  return rises(async (session) => -(await countDeliveries(session, BY_WORKERS)));
}

export function manyAreHeld(many: number): Moment {
  return async (session) => (await countDeliveries(session, 'hold_reason IS NOT NULL')) >= many;
}

export function circuitOpens(): Moment {
  return rises(({ query }) =>
    numberFrom(query(`SELECT max(extract(epoch FROM circuit_opened_at))::float8 AS number FROM endpoint_flow`)),
  );
}

export function probeIsOut(): Moment {
  return async ({ query }) =>
    (await query('SELECT 1 FROM endpoint_flow WHERE probe_delivery_id IS NOT NULL AND probe_until > now() LIMIT 1'))
      .length > 0;
}

/** Above the least that was seen. */
function rises(read: (session: Session) => Promise<number>): Moment {
  let least = Number.POSITIVE_INFINITY;
  return async (session) => {
    const now = await read(session);
    least = Math.min(least, now);
    return now > least;
  };
}

function countDeliveries({ query }: Session, condition: string): Promise<number> {
  return numberFrom(query(`SELECT count(*)::int AS number FROM deliveries WHERE ${condition}`));
}

async function numberFrom(rows: Promise<{ number: number | null }[]>): Promise<number> {
  return (await rows)[0]?.number ?? 0;
}
