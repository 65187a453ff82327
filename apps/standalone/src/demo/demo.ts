import { once } from 'node:events';
import type { LiveScreen, Paint } from '@driftwire/terminal';
import type { Environment } from '../settings.js';
import type { Stack } from '../stack.js';
import { seconds } from '../step-time.js';
import { runDemoStack } from './demo-stack.js';
import { play } from './play.js';
import { type Progress, writeProgress } from './progress.js';
import { openPublicApi } from './public-api.js';
import { type Receiver, startReceiver } from './receiver.js';
import { writeReport } from './report.js';
import { ROLES } from './roles.js';
import type { Evidence } from './story.js';
import { findFaults } from './verdict.js';
import { readWeather } from './weather.js';
import { findDrift } from './weather-drift.js';

export type DemoOptions = {
  keep: boolean;
  verbose: boolean;
  env: Environment;
  root: string;
  screen: LiveScreen;
  paint: Paint;
  stop: AbortSignal;
};

/** When everything is wrong, the first few say why. */
const SHOWN_FAULTS = 10;

/** What turned out wrong; undefined if it was stopped before it could tell. Nothing it started is left by then. */
export async function runDemo(options: DemoOptions): Promise<string[] | undefined> {
  const { screen, paint, keep, stop } = options;
  const startedAt = performance.now();
  let faults: string[] | undefined;
  screen.say('Starting a Driftwire for the demo');
  stop.addEventListener('abort', () => screen.say('Stopping'));
  await runDemoStack(options, async (stack, over) => {
    const stackTook = seconds(performance.now() - startedAt);
    screen.say(`The stack is up in ${stackTook}\n`);
    await withReceivers(async (receivers) => {
      const playedAt = performance.now();
      const evidence = await perform(options, { stack, receivers, over });
      faults = findFaults(evidence);
      screen.say(`\n${writeReport(evidence, paint)}\n`);
      sayVerdict(faults, options);
      screen.say(`The stack took ${stackTook}, the demo ${seconds(performance.now() - playedAt)}.`);
      if (keep) await stayUp(screen, stack, over);
    });
  });
  return faults;
}

type Scene = { stack: Stack; receivers: Receiver[]; over: AbortSignal };

async function perform({ screen }: DemoOptions, { stack, receivers, over }: Scene): Promise<Evidence> {
  const api = openPublicApi({ url: stack.apiUrl, key: `${stack.environment.ADMIN_API_KEY}`, signal: over });
  const drift = findDrift(readWeather());
  screen.say(
    `${drift.length} shifts beyond chance in the weather of Seattle and New York, 2015 against the years before`,
  );
  const show = (progress: Progress) => screen.update(writeProgress(progress));
  try {
    return await play({ api, receivers, show, signal: over }, drift);
  } finally {
    screen.settle();
  }
}

async function withReceivers(use: (receivers: Receiver[]) => Promise<void>): Promise<void> {
  const receivers = await Promise.all(ROLES.map(startReceiver));
  try {
    await use(receivers);
  } finally {
    await Promise.all(receivers.map((receiver) => receiver.close()));
  }
}

function sayVerdict(faults: string[], { screen, paint }: DemoOptions): void {
  if (faults.length === 0) screen.say(paint('green', 'Every story went as it should.'));
  for (const fault of faults.slice(0, SHOWN_FAULTS)) screen.complain(paint('red', `WRONG: ${fault}`));
  const more = faults.length - SHOWN_FAULTS;
  if (more > 0) screen.complain(paint('red', `and ${more} more`));
}

async function stayUp({ say }: LiveScreen, { apiUrl, environment }: Stack, over: AbortSignal): Promise<void> {
  say(`
The stack stays up, receivers included, until Ctrl-C:

  Dashboard      ${apiUrl}/queues  (any user name, the admin key as password)
  Documentation  ${apiUrl}/docs
  API            ${apiUrl}
  Admin key      ${environment.ADMIN_API_KEY}
`);
  if (!over.aborted) await once(over, 'abort');
}
