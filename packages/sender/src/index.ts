export type { AttemptReport, Phases, RecordedResponse } from './attempt-report.js';
export type { ResolveAll } from './guarded-lookup.js';
export { createSender, type Sender, type SenderOptions } from './sender.js';
export type { WebhookRequest } from './webhook-request.js';
