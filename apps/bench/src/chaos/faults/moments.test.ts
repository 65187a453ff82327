import { expect, test } from '@jest/globals';
import type { Session } from '../../stack/database-session.js';
import { circuitOpens, deliveriesAreHeld, deliveriesAreLetGo, type Moment, manyAreHeld } from './moments.js';

test.each<[string, Moment, (number | null)[], boolean[]]>([
  ['more are held than before', deliveriesAreHeld(), [5, 5, 3, 4], [false, false, false, true]],
  ['fewer are held than before', deliveriesAreLetGo(), [5, 5, 7, 6], [false, false, false, true]],
  ['many are held', manyAreHeld(40), [0, 39, 40], [false, false, true]],
  ['a circuit opens where none was open', circuitOpens(), [null, null, 1_000.5], [false, false, true]],
  ['one opens after another has closed', circuitOpens(), [1_000.5, null, 1_001.5], [false, false, true]],
])('%s', async (_, moment, numbers, answers) => {
  const seen = [...numbers];
  const query = async () => [{ number: seen.shift() }] as never[];
  const session: Session = { query };
  const given: boolean[] = [];
  for (const _ of numbers) given.push(await moment(session));
  expect(given).toEqual(answers);
});
