import type { AttemptRecord, Claim, ClaimAnswer, EndpointSecrets, HeldBack, RecordAnswer } from '@driftwire/database';
import { decide, isSuccess, redactHeaders, signatureHeaderNames, type Transition } from '@driftwire/delivery';
import type { ConsumerOptions, DeliveryJob, JobEnding, Pace, RequestWatch } from '@driftwire/queue';
import type { AttemptReport, WebhookRequest, Withheld } from '@driftwire/sender';

export type DeliverDeps = {
  claim: (job: DeliveryJob) => Promise<ClaimAnswer>;
  /** For a delivery that must not be sent now. Never rejects but for a bug. */
  hold: (job: DeliveryJob, reason: HeldBack) => Promise<JobEnding>;
  /** Others of its endpoint are held. */
  noteCrowded: (endpointId: string) => void;
  /** An attempt is on record, and may say something about its endpoint. Never rejects but for a bug. */
  judgeEndpoint: (claim: Claim, report: AttemptReport) => Promise<unknown> | undefined;
  /** Null when a secret cannot be decrypted. */
  openSecrets: (claim: Claim) => EndpointSecrets | null;
  /** False when the lease has passed to somebody else. Repeated until it works or there is no time left. */
  release: (claim: Claim, due: { dueInMs: number }, isOver: () => boolean) => Promise<boolean>;
  /** So that it is let go as soon as its secret can be opened. */
  noteParked: (claim: Claim) => Promise<void>;
  /** Bounded by itself, and by `withinMs`. `clock` tells the time, in milliseconds since 1970. */
  send: (request: WebhookRequest, withinMs: number, clock: () => number) => Promise<AttemptReport>;
  /** Repeated until it works or the lease is over. */
  record: (record: AttemptRecord, isOver: () => boolean) => Promise<RecordAnswer>;
  deactivateEndpoint: (endpoint: { id: string; version: number }, isOver: () => boolean) => Promise<boolean>;
  observe: DeliveryObserver;
  retryBaseDelayMs: number;
  leaseMs: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  random: () => number;
  pause: (ms: number) => Promise<unknown>;
};

/** What an operator is told; each is one log line and a metric. */
export type DeliveryObserver = {
  attempted: (claim: Claim, report: AttemptReport, transition: Transition, moved: boolean) => void;
  refused: (answer: Exclude<ClaimAnswer, { verdict: 'claimed' | 'hold' }>) => void;
  endpointDeactivated: (claim: Claim) => void;
  secretUnreadable: (claim: Claim) => void;
  withheld: (claim: Claim, reason: NotSent) => void;
  interrupted: (job: DeliveryJob, error: unknown) => void;
};

/** The request is given up this long before the lease ends, so that its record still comes in time. */
const LEASE_RESERVE_MS = 5_000;
const UNREADABLE_SECRET_DELAY_MS = 300_000;
/** Giving back a claim is worth so long a try, even when its lease has run out meanwhile. */
const RELEASE_MS = 5_000;
/** So that a long queue is not run through, job by job, for as long as Postgres is away. */
const HOLD_MS = 1_000;
const SNOOZE_MS = 1_000;
const SNOOZE_SPREAD_MS = 4_000;
/** A name server that does not answer is known for it ten seconds after it was asked. */
const WITHHELD_MS: Record<Withheld, number> = { late: SNOOZE_MS, no_lookup: 6_000 };

/** `off_pace`: the moment that its endpoint's rate had for it is over. */
export type NotSent = Withheld | 'off_pace';

/**
 * Runs one delivery job: claim, send, decide, record, say so. Postgres decides what is true, so a job that comes twice,
 * late or for nothing is refused by the claim. Whatever fails before an outcome is on record (Postgres away) is
 * no attempt: the job keeps its place for a moment, is snoozed and spends nothing.
 */
export function createDeliver(deps: DeliverDeps): ConsumerOptions['run'] {
  return async (job, request) => {
    try {
      // Counted from before the claim, so that it never ends after the lease in Postgres does.
      const leaseEnds = deps.now() + deps.leaseMs;
      const answer = await deps.claim(job);
      if (answer.verdict === 'hold') return await deps.hold({ ...job, endpointId: answer.endpointId }, answer.reason);
      if (answer.verdict !== 'claimed') return refuse(deps, answer);
      return await attempt(deps, answer.claim, { leaseEnds, watch: request, pace: job.pace });
    } catch (error) {
      deps.observe.interrupted(job, error);
      await deps.pause(HOLD_MS);
      return { kind: 'snooze', delayMs: SNOOZE_MS + deps.random() * SNOOZE_SPREAD_MS };
    }
  };
}

type Allowance = { leaseEnds: number; watch: RequestWatch; pace: Pace | undefined };

async function attempt(deps: DeliverDeps, claim: Claim, { leaseEnds, watch, pace }: Allowance): Promise<JobEnding> {
  if (claim.isCrowded) deps.noteCrowded(claim.endpoint.id);
  const clock = postgresClock(deps, claim);
  const secrets = deps.openSecrets(claim);
  if (secrets === null) return park(deps, claim);
  if (pace !== undefined && !(await keepsPace(deps, pace))) return skip(deps, claim);

  const withinMs = leaseEnds - LEASE_RESERVE_MS - deps.now();
  watch.begins(claim.customerId);
  const report = await deps.send(webhookRequest(claim, secrets), withinMs, clock);
  watch.isOver({ isSuccess: isSuccess(report.outcome), isTimeout: report.outcome.kind === 'timeout' });
  if (report.withheld !== null) return withhold(deps, claim, report.withheld);
  const transition = decide(
    report.outcome,
    { failedCount: claim.failedCount, jitter: deps.random() },
    policy(deps, claim),
  );
  const isOver = () => deps.now() >= leaseEnds;
  const { moved, generation } = await deps.record(attemptRecord(claim, report, transition), isOver);
  deps.observe.attempted(claim, report, transition, moved);

  if (!moved) return { kind: 'done' };
  await deps.judgeEndpoint(claim, report);
  if (transition.to === 'failed' && transition.deactivateEndpoint) await deactivate(deps, claim, isOver);
  return endingOf(transition, report, generation);
}

/** Goes on from the claim by the monotonic clock: the wall clock of this machine may be wrong, and may be set at any moment. */
function postgresClock({ now }: DeliverDeps, { claimedAtMs }: Claim): () => number {
  const answeredAt = now();
  return () => claimedAtMs + (now() - answeredAt);
}

function refuse(deps: DeliverDeps, answer: Exclude<ClaimAnswer, { verdict: 'claimed' | 'hold' }>): JobEnding {
  if (answer.verdict === 'wait') return { kind: 'snooze', delayMs: answer.waitMs };
  deps.observe.refused(answer);
  const failed = answer.verdict === 'ended' && answer.reason === 'indeterminate';
  return failed ? { kind: 'failed', reason: answer.reason } : { kind: 'done' };
}

/** Never sent unsigned, and never failed for a reason that is ours: it waits for a person to mend the key ring. */
async function park(deps: DeliverDeps, claim: Claim): Promise<JobEnding> {
  deps.observe.secretUnreadable(claim);
  const ending = await giveBack(deps, claim, UNREADABLE_SECRET_DELAY_MS);
  await deps.noteParked(claim);
  return ending;
}

/** Waits for the moment; false when it has passed, for then the request would come too close to the next. */
async function keepsPace({ now, pause }: DeliverDeps, { atMs, withinMs }: Pace): Promise<boolean> {
  if (now() < atMs) await pause(atMs - now());
  return now() <= atMs + withinMs;
}

async function skip(deps: DeliverDeps, claim: Claim): Promise<JobEnding> {
  deps.observe.withheld(claim, 'off_pace');
  return giveBack(deps, claim, 0);
}

/** What was not sent is no attempt: it costs the delivery nothing but a moment. */
async function withhold(deps: DeliverDeps, claim: Claim, reason: Withheld): Promise<JobEnding> {
  deps.observe.withheld(claim, reason);
  return giveBack(deps, claim, WITHHELD_MS[reason] + deps.random() * SNOOZE_SPREAD_MS);
}

async function giveBack(deps: DeliverDeps, claim: Claim, dueInMs: number): Promise<JobEnding> {
  const givenUpAt = deps.now() + RELEASE_MS;
  const released = await deps.release(claim, { dueInMs }, () => deps.now() >= givenUpAt);
  return released ? { kind: 'snooze', delayMs: dueInMs } : { kind: 'done' };
}

async function deactivate(deps: DeliverDeps, claim: Claim, isOver: () => boolean): Promise<void> {
  if (await deps.deactivateEndpoint(claim.endpoint, isOver)) deps.observe.endpointDeactivated(claim);
}

function policy({ retryBaseDelayMs }: DeliverDeps, { maxAttempts }: Claim) {
  return { maxAttempts, baseDelayMs: retryBaseDelayMs };
}

function webhookRequest(claim: Claim, { secrets, customHeaders }: EndpointSecrets): WebhookRequest {
  return {
    url: claim.endpoint.url,
    eventType: claim.eventType,
    deliveryId: claim.deliveryId,
    attemptNumber: claim.fence,
    webhookId: claim.eventId,
    body: Buffer.from(claim.body),
    secrets,
    customHeaders,
  };
}

function attemptRecord(claim: Claim, report: AttemptReport, transition: Transition): AttemptRecord {
  return {
    deliveryId: claim.deliveryId,
    number: claim.fence,
    round: claim.round,
    startedAt: report.startedAt,
    durationMs: report.durationMs,
    phases: report.phases,
    requestHeaders: redactHeaders(report.requestHeaders, signatureHeaderNames),
    outcome: report.outcome.kind,
    response: report.response,
    error: isSuccess(report.outcome) ? null : reasonOf(report),
    transition,
  };
}

/** One line for `last_error`, for the dashboard and for the log. */
function reasonOf({ outcome, error }: AttemptReport): string {
  return outcome.kind === 'response' ? `the receiver answered ${outcome.status}` : (error ?? outcome.kind);
}

function endingOf(transition: Transition, report: AttemptReport, generation: number): JobEnding {
  if (transition.to === 'success') return { kind: 'done' };
  if (transition.to === 'failed') return { kind: 'failed', reason: `${transition.reason}: ${reasonOf(report)}` };
  return { kind: 'retry', delayMs: transition.delayMs, reason: reasonOf(report), generation };
}
