export type Progress = { events: number; deliveries: number; finished: number; waiting: number };

export function writeProgress({ events, deliveries, finished, waiting }: Progress): string {
  const retries = waiting === 1 ? '1 retry waiting' : `${waiting} retries waiting`;
  return `${events} drift events posted · ${finished} of ${deliveries} deliveries finished · ${retries}`;
}
