import type { WeatherDrift } from './weather-drift.js';

/** A receiver as the demo casts it, and how every delivery to it has to go. */
export type Role = {
  name: string;
  /** Its answers, in words. */
  does: string;
  subscription: { event_types: string[]; min_severity?: number };
  /** The same subscription said in other words: the demo has to know for itself which deliveries must exist. */
  wants: (event: WeatherDrift['body']) => boolean;
  /** Its answers to the attempts of a delivery, one after the other; the last one for ever. */
  answers: [number, ...number[]];
  ending: { status: 'success'; failure_reason: null } | { status: 'failed'; failure_reason: 'exhausted' };
};

export const ROLES: Role[] = [
  {
    name: 'healthy',
    does: 'always 200',
    subscription: { event_types: ['drift.data.*'] },
    wants: () => true,
    answers: [200],
    ending: { status: 'success', failure_reason: null },
  },
  {
    name: 'flaky',
    does: '500 twice, then 200',
    subscription: { event_types: ['drift.data.temperature.*'] },
    wants: ({ event_type: type }) => /^drift\.data\.temperature\.(high|low)$/.test(type),
    answers: [500, 500, 200],
    ending: { status: 'success', failure_reason: null },
  },
  {
    name: 'failing',
    does: 'always 500',
    subscription: { event_types: ['*'], min_severity: 0.5 },
    wants: ({ data }) => data.severity >= 0.5,
    answers: [500, 500, 500],
    ending: { status: 'failed', failure_reason: 'exhausted' },
  },
];

/** Of the nth attempt (from 1) of a delivery. */
export function answerOf({ answers }: Role, attempt: number): number {
  return answers[attempt - 1] ?? answers.at(-1) ?? answers[0];
}
