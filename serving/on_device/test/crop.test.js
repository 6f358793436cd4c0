import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxOf, hasExtent, holds, median, percentile, sequenceCrop, toCanvas } from '../src/geometry/crop.js';
import { covered, fade } from '../src/geometry/pasting.js';
import { standing } from '../src/ui/guide.js';

const person = standing({ width: 400, height: 400 });
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
  const crop = sequenceCrop(person, [person]);
  assert.ok(holds(crop, person));
  const { low, high } = boxOf(toCanvas(crop, person));
  assert.ok(Math.abs((low[0] + high[0]) / 2 - 127.5) < 0.01);
  assert.ok(high[1] - low[1] > 150 && high[1] - low[1] < 245);
});

test('a crop grows with a pose that leaves it', () => {
  const narrow = sequenceCrop(person, [person]);
  const moved = { 4: [-100, 10, 1], 7: [480, 10, 1] };
  const reach = person.map((joint, i) => moved[i] ?? joint);
  assert.ok(!holds(narrow, reach));
  const wide = sequenceCrop(person, [reach]);
  assert.ok(wide.step > narrow.step && holds(wide, reach));
});

test('a patch fades at its edges, but not where the photo ends', () => {
  assert.equal(covered(100, 1, 120), null);
  const span = covered(1000, 2, 100);
  assert.deepEqual(span, { first: 100, last: 610 });
  const weights = fade(span, 1000, 2, 100);
  assert.equal(weights[0], 0);
  assert.equal(weights[255], 1);
  assert.equal(weights.at(-1), 0);
  assert.equal(fade(covered(300, 2, -100), 300, 2, -100)[0], 1);
});
