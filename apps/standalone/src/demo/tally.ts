import type { Evidence, Witness } from './story.js';

/** The same things counted twice: at the receiver, and on the API's record. */
export type Tally = { requests: number; attempts: number; accepted: number; succeeded: number };

export function tallyOf({ endpointId, received }: Witness, { deliveries }: Evidence): Tally {
  const onRecord = deliveries.filter((delivery) => delivery.endpoint_id === endpointId);
  return {
    requests: received.length,
    attempts: onRecord.flatMap(({ attempts }) => attempts).length,
    accepted: received.filter(({ answered }) => answered >= 200 && answered < 300).length,
    succeeded: onRecord.filter(({ status }) => status === 'success').length,
  };
}
