import type { EndpointFlow } from '@driftwire/database';
import { z } from 'zod';

export const circuitView = z
  .object({
    state: z.enum(['closed', 'open', 'half_open']),
    since: z.iso.datetime().nullable().meta({ description: 'When it was opened.' }),
    failures: z.int().meta({ description: 'Failed attempts in a row, probes included.' }),
    next_probe_at: z.iso.datetime().nullable().meta({ description: 'At the earliest; null while a probe is out.' }),
  })
  .meta({
    id: 'Circuit',
    description:
      '`open`: the endpoint keeps failing, so its deliveries wait, and one at a time is sent as a probe; `half_open`: a ' +
      'probe is out. Its success closes the circuit, and so do a changed `url`, `active: true` and close-circuit.',
  });

export type Circuit = z.infer<typeof circuitView>;

const CLOSED: Circuit = { state: 'closed', since: null, failures: 0, next_probe_at: null };

type Flow = Pick<EndpointFlow, 'circuitOpenedAt' | 'circuitFailures' | 'nextProbeAt' | 'probeUntil'>;

/** `now` by the database's clock, which ends a probe's time. */
export function viewCircuit(flow: Flow | undefined, now: Date): Circuit {
  if (!flow?.circuitOpenedAt) return CLOSED;
  const { circuitOpenedAt, circuitFailures, nextProbeAt, probeUntil } = flow;
  const isProbing = probeUntil !== null && probeUntil > now;
  return {
    state: isProbing ? 'half_open' : 'open',
    since: circuitOpenedAt.toISOString(),
    failures: circuitFailures ?? 0,
    next_probe_at: isProbing || nextProbeAt === null ? null : nextProbeAt.toISOString(),
  };
}
