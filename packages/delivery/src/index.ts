export { type AddressPolicy, defaultPorts, isAllowedAddress, urlProblem } from './address-rules.js';
export { longestDelayMs, retryDelayMs } from './backoff.js';
export {
  type CircuitPolicy,
  type Evidence,
  evidenceOf,
  type FailureStreak,
  failedAgain,
  isFailing,
  opensCircuit,
} from './circuit.js';
export { customHeaderProblem } from './custom-headers.js';
export { type AttemptFacts, decide, type FailureReason, type RetryPolicy, type Transition } from './decide.js';
export {
  type DriftEventBodyInput,
  type DriftValues,
  dataTextOf,
  driftEventBody,
  testEventBody,
  withDelta,
} from './envelope.js';
export { isRfc3339 } from './instant.js';
export { type JsonOutline, outlineJson } from './json-outline.js';
export type { JsonProblem } from './json-scan.js';
export type { JsonSpan } from './json-span.js';
export { appendMember, removeMember } from './json-splice.js';
export { type JsonPath, type JsonReading, type JsonText, readJsonText } from './json-text.js';
export { isSuccess, type Outcome, type OutcomeKind } from './outcome.js';
export {
  type AddressBlock,
  ipv4Reachable,
  ipv4Refused,
  ipv6GlobalUnicast,
  ipv6Reachable,
  ipv6Refused,
  isPublicAddress,
} from './public-address.js';
export { parseRetryAfter } from './retry-after.js';
export { generateSecret, isSecret, secretKey } from './secret.js';
export { type SignatureInput, signatureHeaders } from './signature.js';
export { storableText } from './storable-text.js';
export {
  eventTypePattern,
  isReservedEventType,
  isSubscriptionPattern,
  subscriptionPattern,
  subscriptionPatterns,
} from './subscription.js';
export { type Verification, verifyWebhook, type WebhookToVerify } from './verify.js';
export { redactHeaders, signatureHeaderNames, type WebhookHeadersInput, webhookHeaders } from './webhook-headers.js';
