import { createTable, type Paint } from '@driftwire/terminal';
import {
  type Evidence,
  nameEnding,
  type PostedEvent,
  type Story,
  tellStories,
  tookMs,
  writeAttempts,
} from './story.js';
import { tallyOf } from './tally.js';

const SEVERITY_BLOCKS = 10;

/** Every story of the demo, drift event by drift event, in 80 columns; then who counted what. */
export function writeReport(evidence: Evidence, paint: Paint): string {
  return [writeStories(evidence, paint), writeTallies(evidence, paint), writeSum(evidence)].join('\n\n');
}

function writeStories(evidence: Evidence, paint: Paint): string {
  const table = createTable(['DRIFT EVENT', 'RECEIVER', 'STATUS', 'ATTEMPTS', 'TIME >'], paint);
  const stories = tellStories(evidence);
  for (const event of evidence.events) {
    const ofEvent = stories.filter((story) => story.event === event);
    table.gap();
    for (const row of rowsOf(event, ofEvent, paint)) table.add(row);
  }
  return table.write();
}

/** What happened, in three lines on the left, and how it went, a line per receiver, on the right. */
function rowsOf(event: PostedEvent, stories: Story[], paint: Paint): string[][] {
  const left = [paint('bold', event.body.event_type), event.title, drawSeverity(event.body.data.severity)];
  const right = stories.map((story) => writeStory(story, paint));
  const height = Math.max(left.length, right.length);
  return Array.from({ length: height }, (_, line) => [left[line] ?? '', ...(right[line] ?? [])]);
}

function drawSeverity(severity: number): string {
  const full = Math.round(severity * SEVERITY_BLOCKS);
  return `severity ${severity.toFixed(2)} ${'█'.repeat(full)}${'░'.repeat(SEVERITY_BLOCKS - full)}`;
}

function writeStory({ role, delivery }: Story, paint: Paint): string[] {
  if (!delivery) return [role.name, paint('red', 'missing')];
  const color = delivery.status === 'success' ? 'green' : 'red';
  const attempts = writeAttempts(delivery).replaceAll(/\d+/g, (code) =>
    paint(/^2/.test(code) ? 'green' : 'yellow', code),
  );
  return [role.name, paint(color, nameEnding(delivery)), attempts, writeDuration(tookMs(delivery))];
}

function writeDuration(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

/** What each receiver saw = what the API has on record. */
function writeTallies(evidence: Evidence, paint: Paint): string {
  const table = createTable(['RECEIVER', 'ANSWERS', 'TAKES', 'REQUESTS >', '2XX >'], paint);
  for (const witness of evidence.witnesses) {
    const { requests, attempts, accepted, succeeded } = tallyOf(witness, evidence);
    const { name, does, subscription } = witness.role;
    table.add([name, does, writeSubscription(subscription), compare(requests, attempts), compare(accepted, succeeded)]);
  }
  return `${table.write()}\n${paint('dim', '(seen by the receiver = on record in the API)')}`;
}

function compare(seen: number, onRecord: number): string {
  return `${seen} ${seen === onRecord ? '=' : '≠'} ${onRecord}`;
}

function writeSubscription({ event_types, min_severity }: { event_types: string[]; min_severity?: number }): string {
  const types = event_types.join(', ');
  return min_severity === undefined ? types : `${types} from severity ${min_severity}`;
}

function writeSum({ events, witnesses, deliveries }: Evidence): string {
  const attempts = deliveries.flatMap((delivery) => delivery.attempts).length;
  const received = witnesses.flatMap((witness) => witness.received);
  const verified = received.filter(({ signatureProblem }) => signatureProblem === undefined).length;
  const share = verified === received.length ? `All ${verified}` : `${verified} of ${received.length}`;
  return `${events.length} drift events, ${deliveries.length} deliveries, ${attempts} attempts.
${share} signatures verified: standardwebhooks and X-Signature.`;
}
