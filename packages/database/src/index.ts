export {
  type AcceptLimits,
  acceptEvents,
  countDeliveries,
  type EventToAccept,
} from './accept-events.js';
export type { Acceptance } from './acceptance.js';
export { type Actor, type AuditAction, auditAll, type Deed, DRIFTWIRE } from './audit-log.js';
export { type Batcher, type BatcherOptions, createBatcher } from './batcher.js';
export {
  closeCircuit,
  closeCircuitSql,
  closeCircuits,
  type FailingEndpoint,
  openCircuit,
  type Probe,
  putOffProbe,
  takeProbes,
} from './circuits.js';
export type { Claim, ClaimAnswer, HeldBack, SealedEndpoint } from './claim-answers.js';
export { claimDeliveries } from './claim-deliveries.js';
export { type ConnectOptions, connectDatabase, type Database } from './connect.js';
export { createDatabaseClock, type DatabaseClock, readDatabaseTimeMs } from './database-clock.js';
export { deactivateGoneEndpoint } from './deactivate-endpoint.js';
export type { RawQuery } from './direct-query.js';
export { bringForwardOverdue, dueAmong } from './due-deliveries.js';
export {
  type EndpointOwner,
  type EndpointSecrets,
  openSecrets,
  sealHeaders,
  sealSecret,
} from './endpoint-secrets.js';
export {
  type ApiKey,
  type Attempt,
  AuditActor,
  type AuditLine,
  type Customer,
  type Delivery,
  DeliveryStatus,
  type DriftEvent,
  type Endpoint,
  type EndpointFlow,
  FailureReason,
  HoldReason,
  InactiveReason,
  OutcomeKind,
  Prisma,
  type PrismaClient,
  Role,
} from './generated/client.js';
export { freeSlots, type Granted, grantHeld, makeSlots, SENT_WITHIN_MS } from './granted-deliveries.js';
export {
  type EndedHeld,
  endCrowding,
  endHeld,
  type HoldAnswer,
  type HoldRequest,
  holdDeliveries,
  type Released,
  releaseHeld,
} from './held-deliveries.js';
export { countHeld, type HeldEndpoint, heldEndpoints } from './held-endpoints.js';
export { type EndpointToInsert, insertEndpoint } from './insert-endpoint.js';
export { rememberKeyUse } from './key-use.js';
export { type Conditions, idFloor, type ListedIds, listIds } from './list-ids.js';
export type { JobRef } from './locked-rows.js';
export { findOrphans, type OrphanSearch } from './orphans.js';
export { createOutage, type Outage, type Patience, type RideOut } from './outage.js';
export { type OverdueSummary, oldestDueMs, summarizeOverdue } from './overdue-deliveries.js';
export { endParked, type LetGo, letGoParked, noteParked, type Ring } from './parked-deliveries.js';
export { createPartitionWatch, type PartitionWatch } from './partition-watch.js';
export {
  type DayDropped,
  dropDay,
  expiredDays,
  makePartitionsAhead,
  partitionDaysAhead,
  storedDays,
} from './partitions.js';
export {
  isNoPartition,
  isPostgresAway,
  isPostgresUnavailable,
  isUniqueViolation,
  wasNeverSent,
} from './postgres-error.js';
export { planRearmWave, type RearmWave, readQueueEpoch, rearmForWave, rememberQueueEpoch } from './queue-epoch.js';
export { type AttemptRecord, type RecordAnswer, recordAttempts } from './record-attempts.js';
export { releaseClaim } from './release-claim.js';
export { countStale, type Resealed, resealEndpoints } from './reseal-endpoints.js';
export { retryFinishedDelivery } from './retry-delivery.js';
export { rotateEndpointSecret } from './rotate-endpoint-secret.js';
export { createSealer, type EncryptionKey, type SealBinding, type Sealer, UnsealError } from './seal.js';
export { DatabaseUrlProblem } from './session.js';
export type { NewDelivery } from './stored-events.js';
export {
  armOverdueDeliveries,
  type OverdueDelivery,
  rearmDeliveries,
  takeNextGenerations,
} from './sweep-deliveries.js';
