export type { AttemptReport, Phases, RecordedResponse } from './attempt-report.js';
export type { ResolveAll } from './guarded-lookup.js';
export { createNameCheck, type NameCheckOptions } from './name-check.js';
export { createSender, type Sender, type SenderOptions } from './sender.js';
export type { WebhookRequest } from './webhook-request.js';
export type { Withheld } from './withheld.js';
