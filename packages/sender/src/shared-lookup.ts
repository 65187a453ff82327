import { createDoubtedNames } from './doubted-names.js';
import type { ResolveAll } from './guarded-lookup.js';

/** The code of a question that was never asked: whoever waited for its answer has learned nothing about the name. */
export const UNASKED = 'ERR_DRIFTWIRE_LOOKUP_UNASKED';

/** Long for a name server, and short for a place in a worker. */
const PATIENCE_MS = 1_000;
/** By then the system's resolver has given up on one name server and asked another. */
const HANGING_AFTER_MS = 10_000;

export type SharedLookupOptions = {
  lookup: ResolveAll;
  /** How many questions may be on their way: each holds a thread. */
  places: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
};

type Waiting = Parameters<ResolveAll>[2];
type Question = {
  hostname: string;
  waiting: Waiting[];
  /** Null while there is no place for it. */
  askedAt: number | null;
  state: 'fresh' | 'slow' | 'hanging';
  timer?: NodeJS.Timeout;
};

/**
 * The system's resolver runs on a few threads of this process. A name whose server does not answer holds one for ten seconds,
 * and cannot be called back. So that such names do not take them all, each is asked for once at a time, and whoever asks
 * meanwhile shares the answer. Nobody waits for a place, or for what another asked, longer than a second: then it is
 * `UNASKED`, which is no failed lookup. A name that has hung fails at once for ten seconds, and for ten minutes the last
 * places are not for it. An answer goes to those who wait for it and is never kept.
 */
export function sharedLookup({ lookup, places, now = () => performance.now() }: SharedLookupOptions): ResolveAll {
  const questions = new Map<string, Question>();
  const doubted = createDoubtedNames(now);
  const placesForDoubted = places === 1 ? 1 : places - Math.ceil(places / 4);
  let onTheirWay = 0;

  function mayBeAsked({ hostname, askedAt }: Question): boolean {
    return askedAt === null && onTheirWay < (doubted.isDoubted(hostname) ? placesForDoubted : places);
  }

  function begin(hostname: string, callback: Waiting): void {
    const question: Question = { hostname, waiting: [callback], askedAt: null, state: 'fresh' };
    questions.set(hostname, question);
    question.timer = setTimeout(losePatience, PATIENCE_MS, question).unref();
    if (mayBeAsked(question)) ask(question);
  }

  function ask(question: Question): void {
    const { hostname } = question;
    const askedAt = now();
    question.askedAt = askedAt;
    onTheirWay += 1;
    lookup(hostname, { all: true }, (error, addresses) => {
      onTheirWay -= 1;
      clearTimeout(question.timer);
      questions.delete(hostname);
      if (now() - askedAt >= PATIENCE_MS) doubted.remember(hostname, error);
      else if (error === null) doubted.forget(hostname);
      for (const callback of question.waiting) callback(error, addresses);
      askNext();
    });
  }

  function askNext(): void {
    for (const question of questions.values()) if (mayBeAsked(question)) ask(question);
  }

  function losePatience(question: Question): void {
    if (question.askedAt === null) {
      questions.delete(question.hostname);
      turnAway(question.waiting, unasked(question.hostname));
      return;
    }
    question.state = 'slow';
    question.timer = setTimeout(giveUp, HANGING_AFTER_MS - PATIENCE_MS, question).unref();
    turnAway(question.waiting.splice(1), unasked(question.hostname));
  }

  /** Its thread is still held: until that comes back nobody asks again. */
  function giveUp(question: Question): void {
    const error = unanswered(question.hostname);
    question.state = 'hanging';
    doubted.remember(question.hostname, error);
    turnAway(question.waiting.splice(0), error);
  }

  return (hostname, _all, callback) => {
    const error = doubted.recentError(hostname);
    if (error !== null) return callback(error, []);
    const question = questions.get(hostname);
    if (question === undefined) return begin(hostname, callback);
    if (question.state === 'fresh') question.waiting.push(callback);
    else callback(question.state === 'slow' ? unasked(hostname) : unanswered(hostname), []);
  };
}

function turnAway(waiting: readonly Waiting[], error: Error): void {
  for (const callback of waiting) callback(error, []);
}

function unasked(hostname: string): Error {
  return codedError(UNASKED, `${hostname} was not looked up: earlier lookups are not answered`);
}

function unanswered(hostname: string): Error {
  return codedError('ETIMEOUT', `no answer for ${hostname} from its name server`);
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
