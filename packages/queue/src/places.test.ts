import { expect, test } from '@jest/globals';
import { createPlaces, mostUnfinished, type Place } from './places.js';

test('there is room for so many requests, and whoever comes then waits for a place that is given back', async () => {
  const places = createPlaces(2);
  const [first, second] = [await taken(places), await taken(places)];
  const waiting = places.take();
  expect(places.room()).toBe(-1);
  first.leave();
  (await waiting)?.leave();
  second.leave();
  expect([places.room(), places.unfinished()]).toEqual([2, 0]);
});

test('a place whose request is over is free, before its delivery is on record', async () => {
  const places = createPlaces(1);
  const answered = await taken(places);
  const waiting = places.take();
  answered.vacate();
  const next = await waiting;
  expect([places.room(), places.unfinished()]).toEqual([0, 2]);
  answered.leave();
  next?.leave();
  expect([places.room(), places.unfinished()]).toEqual([1, 0]);
});

test('but nothing begins while too many wait to be recorded', async () => {
  const places = createPlaces(3);
  const unrecorded: Place[] = [];
  while (places.unfinished() < mostUnfinished(3)) {
    const place = await taken(places);
    place.vacate();
    unrecorded.push(place);
  }
  const waiting = places.take();
  const hasChanged = places.change();
  expect(places.room()).toBe(-1);
  unrecorded[0]?.leave();
  expect(await waiting).not.toBeNull();
  await hasChanged;
  expect([places.room(), places.unfinished()]).toEqual([0, mostUnfinished(3)]);
});

test('when everything is about to end, nobody gets a place or waits for one', async () => {
  const places = createPlaces(1);
  await taken(places);
  const waiting = places.take();
  const change = places.change();
  places.close();
  expect(await waiting).toBeNull();
  expect(await places.take()).toBeNull();
  await change;
  await places.change();
});

async function taken(places: ReturnType<typeof createPlaces>): Promise<Place> {
  const place = await places.take();
  if (place === null) throw new Error('no place');
  return place;
}
