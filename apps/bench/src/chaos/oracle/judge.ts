import {
  findHeldDeliveries,
  findLostDeliveries,
  findUnacknowledgedEvents,
  findUnfinishedDeliveries,
  findUnknownRequests,
} from './acceptance.js';
import { findGapsInNumbers, findSurplusFailures } from './attempts.js';
import { tellStories } from './delivery-story.js';
import { findUnfoundedEndings } from './endings.js';
import type { Evidence, Violation } from './evidence.js';
import { findOverlappingAttempts, findOverlappingRequests } from './leases.js';
import { findCrowdsOfRequests, findRushesOfRequests } from './limits.js';
import { findOrphanedRows } from './orphans.js';
import { findProbesAtOnce } from './probes.js';
import { findUnfoundedRepeats } from './repeats.js';
import { findDoubledRequests, findForeignWebhookIds, findUnrecordedRequests } from './requests.js';

/** Holds what happened against what Driftwire promises (DESIGN §7): Jepsen's total queue, and the delivery protocol. */
export function judge(evidence: Evidence): Violation[] {
  const { promises } = evidence;
  const stories = tellStories(evidence);
  return [
    ...findLostDeliveries(evidence),
    ...findUnacknowledgedEvents(evidence),
    ...findOrphanedRows(evidence),
    ...findUnfinishedDeliveries(evidence),
    ...findHeldDeliveries(evidence),
    ...findUnknownRequests(evidence),
    ...findUnfoundedEndings(stories, promises),
    ...findOverlappingAttempts(stories, promises),
    ...findOverlappingRequests(stories, promises),
    ...findUnrecordedRequests(stories),
    ...findDoubledRequests(stories),
    ...findForeignWebhookIds(stories),
    ...findGapsInNumbers(stories),
    ...findSurplusFailures(stories),
    ...findUnfoundedRepeats(stories, promises),
    ...findCrowdsOfRequests(stories, promises),
    ...findRushesOfRequests(stories),
    ...findProbesAtOnce(stories, evidence),
  ];
}
