import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';
import { positiveNumber, wholeNumber } from '../stack/number-options.js';
import { FAULT_KINDS, type FaultKind, isFaultKind } from './fault-kinds.js';

const SABOTAGES = ['sweeper', 'fence', 'release'] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export type Load =
  | { mode: 'mixed'; events: number; minutes: number; faults: number | undefined }
  | { mode: 'one-at-a-time'; everyS: number; each: number; ratePerS: number };

export type ChaosRun = {
  kind: 'run';
  load: Load;
  workers: number;
  seed: number | undefined;
  kinds: readonly FaultKind[];
  sabotage: Sabotage | undefined;
  report: string | undefined;
  keep: boolean;
};

/** `misuse` is one line: what is wrong with the arguments. */
export type ChaosCommand = ChaosRun | { kind: 'help' } | { kind: 'misuse'; problem: string };

const OPTIONS = {
  events: { type: 'string' },
  minutes: { type: 'string' },
  faults: { type: 'string' },
  workers: { type: 'string' },
  seed: { type: 'string' },
  only: { type: 'string' },
  'one-at-a-time': { type: 'boolean', default: false },
  every: { type: 'string' },
  each: { type: 'string' },
  rate: { type: 'string' },
  sabotage: { type: 'string' },
  report: { type: 'string' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const OF_MIXED = ['events', 'minutes', 'faults'] as const;
const OF_ONE_AT_A_TIME = ['every', 'each', 'rate'] as const;

export function parseChaosCommand(args: string[]): ChaosCommand {
  try {
    const values = readValues(args);
    return values.help ? { kind: 'help' } : readRun(values);
  } catch (error) {
    const [sentence] = (isNativeError(error) ? error.message : `${error}`).split(/\.\s/);
    return { kind: 'misuse', problem: `${sentence} (see npm run chaos -- --help)` };
  }
}

function readValues(args: string[]) {
  return parseArgs({ args, options: OPTIONS }).values;
}

type Values = ReturnType<typeof readValues>;

function readRun(values: Values): ChaosRun {
  const { seed, report, keep } = values;
  return {
    kind: 'run',
    load: values['one-at-a-time'] ? readOneAtATime(values) : readMixed(values),
    workers: wholeNumber('workers', values.workers ?? '4', { least: 1, most: 32 }),
    seed: seed === undefined ? undefined : wholeNumber('seed', seed, { least: 0, most: 2 ** 31 - 1 }),
    kinds: readKinds(values.only),
    sabotage: readSabotage(values.sabotage),
    report,
    keep,
  };
}

function readMixed(values: Values): Load {
  refuse(values, OF_ONE_AT_A_TIME, 'goes with --one-at-a-time only');
  return {
    mode: 'mixed',
    events: wholeNumber('events', values.events ?? '2000', { least: 1, most: 1_000_000 }),
    minutes: positiveNumber('minutes', values.minutes ?? '1'),
    faults: values.faults === undefined ? undefined : wholeNumber('faults', values.faults, { least: 0, most: 100_000 }),
  };
}

function readOneAtATime(values: Values): Load {
  refuse(values, OF_MIXED, 'does not go with --one-at-a-time');
  return {
    mode: 'one-at-a-time',
    everyS: positiveNumber('every', values.every ?? '30'),
    each: wholeNumber('each', values.each ?? '10', { least: 1, most: 1_000 }),
    ratePerS: positiveNumber('rate', values.rate ?? '10'),
  };
}

function refuse(values: Values, names: readonly (keyof Values)[], why: string): void {
  const given = names.find((name) => values[name] !== undefined);
  if (given) throw new Error(`--${given} ${why}`);
}

function readKinds(only: string | undefined): readonly FaultKind[] {
  if (only === undefined) return FAULT_KINDS;
  return only.split(',').map((name) => {
    if (isFaultKind(name)) return name;
    throw new Error(`--only knows no fault '${name}', but ${FAULT_KINDS.join(', ')}`);
  });
}

function readSabotage(name: string | undefined): Sabotage | undefined {
  const known = SABOTAGES.find((promise) => promise === name);
  if (name === undefined || known !== undefined) return known;
  throw new Error(`--sabotage must be ${SABOTAGES.join(' or ')}, not '${name}'`);
}
