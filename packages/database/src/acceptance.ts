import type { NewDelivery } from './stored-events.js';

/** In the order of the input. `conflict`: the key exists with another body; then nothing of its request was stored. */
export type Acceptance =
  | { kind: 'created'; deliveries: NewDelivery[] }
  | { kind: 'replayed'; eventId: string }
  | { kind: 'conflict' };

export type InsertedRow = {
  ordinal: number;
  known_event_id: string | null;
  same_body: boolean | null;
  delivery_id: string | null;
  endpoint_id: string | null;
  job_id: string | null;
  is_held: boolean | null;
};

/** The answers by the event's id, out of the rows that its statement answered. */
export function acceptancesOf(
  events: readonly { id: string }[],
  rows: readonly InsertedRow[],
): Map<string, Acceptance> {
  const rowsOf = events.map((): InsertedRow[] => []);
  for (const row of rows) rowsOf[row.ordinal - 1]?.push(row);
  return new Map(events.map(({ id }, index) => [id, acceptance(rowsOf[index] ?? [])]));
}

function acceptance(rows: readonly InsertedRow[]): Acceptance {
  const known = rows[0];
  if (known?.known_event_id) {
    return known.same_body ? { kind: 'replayed', eventId: known.known_event_id } : { kind: 'conflict' };
  }
  return { kind: 'created', deliveries: rows.flatMap(newDelivery) };
}

function newDelivery({ delivery_id, endpoint_id, job_id, is_held }: InsertedRow): NewDelivery[] {
  if (delivery_id === null || endpoint_id === null) return [];
  return [
    {
      id: delivery_id,
      endpointId: endpoint_id,
      generation: 1,
      status: 'pending',
      jobId: job_id,
      isHeld: is_held === true,
    },
  ];
}
