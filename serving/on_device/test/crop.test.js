import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxOf, hasExtent, holds, median, percentile, toCanvas, wholeCrop } from '../src/geometry/crop.js';
import { standing } from '../src/ui/guide.js';

const photo = { width: 400, height: 400 };
const person = standing(photo);
const absent = person.map(([x, y]) => [x, y, 0]);

test('percentiles are values, as NumPy’s "nearest" has them', () => {
  assert.equal(percentile([3, 1, 2], 100), 3);
  assert.equal(percentile([0, 1], 50), 0);
  assert.equal(percentile([0, 1, 2, 3], 50), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('a box is about the visible joints', () => {
  const one = person.map(([x, y], joint) => [x, y, joint < 2 ? 1 : 0]);
  assert.deepEqual(boxOf(one), { low: [200, 40], high: [200, 88] });
  assert.equal(boxOf(absent), null);
  assert.equal(hasExtent(absent), false);
});

test('a crop holds its person, centred', () => {
  const crop = wholeCrop(person, [person], photo);
  assert.ok(holds(crop, person, photo));
  const { low, high } = boxOf(toCanvas(crop, person));
  assert.ok(Math.abs((low[0] + high[0]) / 2 - 127.5) < 0.01);
  assert.ok(high[1] - low[1] > 150 && high[1] - low[1] < 245);
});

test('a crop grows with a pose that leaves it', () => {
  const roomy = { width: 900, height: 400 };
  const narrow = wholeCrop(person, [person], roomy);
  const reach = person.map((joint, i) => (i === 7 ? [680, 10, 1] : joint));
  assert.ok(!holds(narrow, reach, roomy));
  const wide = wholeCrop(person, [reach], roomy);
  assert.ok(wide.step > narrow.step && holds(wide, reach, roomy));
  // What lies outside the photo need not be shown.
  assert.ok(holds(narrow, reach, photo));
});
