import { expect, test } from '@jest/globals';
import { createPlaces, mostUnfinished, type Place, type Places } from './places.js';

const FINE = { isTimeout: false };

test('one endpoint gets two thirds of the places, and there is always room for one that comes new', async () => {
  const places = createPlaces(99);
  await fill(places, 'busy');
  expect([99 - places.room(), places.hasRoomFor('busy'), places.hasRoomFor('new')]).toEqual([66, false, true]);
});

test('a few places are given whole', async () => {
  expect(await Promise.all([1, 2, 3, 4].map(async (total) => fill(createPlaces(total), 'busy')))).toEqual([1, 2, 2, 3]);
});

test('three busy endpoints share six sevenths, equally', async () => {
  const places = createPlaces(70);
  const shares = { a: 0, b: 0, c: 0 };
  const ids = ['a', 'b', 'c'] as const;
  while (ids.some(places.hasRoomFor)) {
    for (const id of ids.filter(places.hasRoomFor)) {
      await taken(places, id);
      shares[id] += 1;
    }
  }
  expect(shares).toEqual({ a: 20, b: 20, c: 20 });
});

test('fifty endpoints of a customer share four fifths, and what one gives back another may take', async () => {
  const places = createPlaces(100);
  const ids = Array.from({ length: 50 }, (_, index) => `hog ${index}`);
  for (const id of ids) {
    const place = await taken(places, id);
    place.begin('hog');
    place.leave();
  }
  const first = await taken(places, 'hog 0');
  for (const id of ids) await fill(places, id, 'hog');
  expect(100 - places.room()).toBe(80);
  // One of which nothing is known gets a place before it is known whose it is.
  const unknown = await taken(places, 'hog 50');
  unknown.begin('hog');
  expect([places.hasRoomFor('hog 50'), places.hasRoomFor("a neighbour's")]).toEqual([false, true]);
  first.vacate(FINE);
  unknown.vacate(FINE);
  expect(places.hasRoomFor('hog 50')).toBe(true);
});

test('who waits in line gets the place that is given back', async () => {
  const places = createPlaces(2);
  const [first, second] = [await taken(places), await taken(places)];
  const waiting = places.take('endpoint');
  expect(places.room()).toBe(0);
  first.leave();
  await isPlace(waiting);
  second.leave();
  expect(places.unfinished()).toBe(1);
});

test('a place whose request is over is free, before its delivery is on record', async () => {
  const places = createPlaces(1);
  const answered = await taken(places);
  const waiting = places.take('endpoint');
  answered.vacate(FINE);
  const next = await isPlace(waiting);
  expect([places.room(), places.unfinished()]).toEqual([0, 2]);
  answered.leave();
  next.leave();
  expect([places.room(), places.unfinished()]).toEqual([1, 0]);
});

test('but nothing begins while too many wait to be recorded', async () => {
  const places = createPlaces(3);
  const unrecorded: Place[] = [];
  while (places.unfinished() < mostUnfinished(3)) {
    const place = await taken(places, `endpoint ${places.unfinished()}`);
    place.vacate(FINE);
    unrecorded.push(place);
  }
  const waiting = places.take('another');
  const hasChanged = places.change();
  expect(places.room()).toBe(0);
  unrecorded[0]?.leave();
  await isPlace(waiting);
  await hasChanged;
  expect(places.unfinished()).toBe(mostUnfinished(3));
});

test('who waits for an endpoint whose requests hang is told that it is crowded, and others find room', async () => {
  let now = 0;
  const places = createPlaces(9, () => now);
  await fill(places, 'hangs');
  const waiting = places.take('hangs');
  now = 150;
  expect(await waiting).toBe('crowded');
  expect(places.hasRoomFor('another')).toBe(true);
});

test('while many wait for a place that comes soon no job is taken; when one has got it, there is room again', async () => {
  const places = createPlaces(8, () => 0);
  for (let request = 0; request < 20; request += 1) await comeAndGo(places, 'quick');
  const first = await taken(places, 'quick');
  await fill(places, 'quick');
  const inLine = [places.take('quick'), places.take('quick')];
  expect(places.room()).toBe(0);
  const hasChanged = places.change();
  first.leave();
  await hasChanged;
  await isPlace(inLine[0] ?? Promise.resolve(null));
  expect(places.room()).toBeGreaterThan(0);
});

test('many that wait for one that has just begun keep no job from being taken, and take half of the line', async () => {
  const places = createPlaces(8, () => 0);
  await fill(places, 'hangs');
  const asked = Array.from({ length: 8 }, () => places.take('hangs'));
  expect(places.room()).toBeGreaterThan(0);
  places.close();
  expect(await Promise.all(asked)).toEqual([...Array(4).fill(null), ...Array(4).fill('crowded')]);
});

test('the last places are for an endpoint that is proven, however many hang', async () => {
  let now = 0;
  const places = createPlaces(20, () => now);
  await comeAndGo(places, 'proven');
  for (let hanging = 0; hanging < 30; hanging += 1) await fill(places, `hangs ${hanging}`);
  expect([places.room(), places.spare()]).toEqual([1, 0]);
  now = 30_000;
  expect([places.hasRoomFor('proven'), places.hasRoomFor('new')]).toEqual([true, false]);
});

test('a request that has not gone out yet says nothing about its endpoint', async () => {
  let now = 0;
  const places = createPlaces(9, () => now);
  const claiming = [await taken(places), await taken(places), await taken(places), await taken(places)];
  await fill(places, 'hangs');
  const [waiting, inVain] = [places.take('endpoint'), places.take('hangs')];
  now = 500;
  // Whoever looks at the line has looked at both.
  expect(await inVain).toBe('crowded');
  claiming[0]?.vacate(FINE);
  await isPlace(waiting);
});

test('when everything is about to end, nobody gets a place or waits for one', async () => {
  const places = createPlaces(1);
  await taken(places);
  const waiting = places.take('endpoint');
  const change = places.change();
  places.close();
  expect(await waiting).toBeNull();
  expect(await places.take('endpoint')).toBeNull();
  await change;
  await places.change();
});

async function fill(places: Places, endpointId: string, customerId = `customer of ${endpointId}`): Promise<number> {
  let filled = 0;
  while (places.hasRoomFor(endpointId)) {
    (await taken(places, endpointId)).begin(customerId);
    filled += 1;
  }
  return filled;
}

async function comeAndGo(places: Places, endpointId: string): Promise<void> {
  const place = await taken(places, endpointId);
  place.begin(`customer of ${endpointId}`);
  place.vacate(FINE);
  place.leave();
}

const taken = (places: Places, endpointId = 'endpoint') => isPlace(places.take(endpointId));

async function isPlace(asked: ReturnType<Places['take']>): Promise<Place> {
  const place = await asked;
  if (place === null || place === 'crowded') throw new Error(`no place, but ${place}`);
  return place;
}
