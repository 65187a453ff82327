import { type Evidence, nameEnding, type Story, tellStories, type Witness, writeAttempts } from './story.js';
import { tallyOf } from './tally.js';

/** Everything that is not as it has to be, one line each. None means that the demo proved its point. */
export function findFaults(evidence: Evidence): string[] {
  const stories = tellStories(evidence);
  return [
    ...findSurplus(evidence, stories),
    ...stories.flatMap((story) =>
      [...faultsOf(story)].map((fault) => `${story.event.title}, ${story.role.name}: ${fault}`),
    ),
    ...evidence.witnesses.flatMap((witness) => findMiscounts(witness, evidence)),
  ];
}

function findSurplus({ events, deliveries }: Evidence, stories: Story[]): string[] {
  if (events.length === 0) return ['the data set shows no drift: there was nothing to deliver'];
  const told = new Set(stories.map(({ delivery }) => delivery?.id));
  return deliveries.filter(({ id }) => !told.has(id)).map(({ id }) => `delivery ${id} should not exist`);
}

function* faultsOf({ event, role, delivery, received }: Story): Generator<string> {
  if (!delivery) return yield 'there is no delivery';
  const { status, failure_reason: reason, attempts, attempt_count: count } = delivery;
  const onRecord = writeAttempts(delivery);
  if (status !== role.ending.status || reason !== role.ending.failure_reason) {
    yield `ended as ${nameEnding(delivery)}, not as ${nameEnding(role.ending)}`;
  }
  if (onRecord !== role.answers.join(' → ')) yield `went ${onRecord || 'nowhere'}, not ${role.answers.join(' → ')}`;
  if (count !== attempts.length) yield `counts ${count} attempts and has ${attempts.length} on record`;
  const answered = received.map((one) => one.answered).join(' → ');
  if (answered !== onRecord) yield `the receiver answered ${answered || 'nothing'}, the record says ${onRecord}`;
  yield* faultsOfWebhooks({ event, received });
}

function* faultsOfWebhooks({ event, received }: Pick<Story, 'event' | 'received'>): Generator<string> {
  for (const [index, { webhookId, requestId, signatureProblem }] of received.entries()) {
    if (signatureProblem !== undefined) yield `attempt ${index + 1}: ${signatureProblem}`;
    if (webhookId !== event.id) yield `attempt ${index + 1}: webhook-id is ${webhookId}, not the event's id`;
    if (requestId !== event.requestId)
      yield `attempt ${index + 1}: metadata.request_id is ${requestId}, not the event's`;
  }
}

/** Also finds requests that belong to no delivery. */
function findMiscounts(witness: Witness, evidence: Evidence): string[] {
  const { name } = witness.role;
  const { requests, attempts, accepted, succeeded } = tallyOf(witness, evidence);
  const faults: string[] = [];
  if (requests !== attempts) faults.push(`${name} got ${requests} requests, and ${attempts} attempts are on record`);
  if (accepted !== succeeded) faults.push(`${name} accepted ${accepted}, and ${succeeded} are on record as success`);
  return faults;
}
