import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedBoxes, NOBODY } from '../src/compositing/changes.js';
import { wholeCrop } from '../src/geometry/crop.js';
import { Placement, onWholePixels } from '../src/geometry/placement.js';
import { standing } from '../src/ui/guide.js';

const photo = { width: 300, height: 700 };

test('a canvas lies on whole pixels, at most one from where it was to be', () => {
  const crop = wholeCrop(standing(photo), [standing(photo)], photo), placed = onWholePixels(crop);
  const place = new Placement(photo, placed);
  for (const value of [...place.corner, ...place.size]) assert.ok(Number.isInteger(value));
  const last = (which, axis) => which[axis] + 255 * which.step;
  for (const axis of ['x', 'y']) {
    assert.ok(Math.abs(placed[axis] - crop[axis]) < 1 && Math.abs(last(placed, axis) - last(crop, axis)) < 1);
  }
  assert.deepEqual(onWholePixels(placed), placed);
});

test('a canvas fades at its edges, but not where the photo ends', () => {
  const place = new Placement(photo, { step: 1.5, x: -99.75, y: 20.25 });
  assert.deepEqual([place.start, place.stop], [[0, 20], [284, 404]]);
  const [across, down] = [place.fade(0), place.fade(1)];
  assert.equal(across[0], 1);
  assert.ok(Math.abs(across.at(-1) - 0.5 / 18) < 1e-6 && Math.abs(down[1] - 1.5 / 18) < 1e-6);
  assert.equal(down[192], 1);
});

test('what is covered is the photo’s own pixels', () => {
  const data = Uint8ClampedArray.from({ length: 4 * 300 * 700 }, (_, i) => (i * 7) % 251);
  const place = new Placement(photo, { step: 1, x: -9, y: 30 }), covered = place.covered({ ...photo, data });
  assert.deepEqual([covered.width, covered.height], [247, 256]);
  assert.equal(covered.data[4 * (5 * 247 + 6)], data[4 * (35 * 300 + 6)]);
});

test('one cell that changes reaches as far as the cells about its neighbours', () => {
  const cells = 64, shape = [1, cells, cells, 9], decisions = { shape, data: new Float32Array(9 * cells * cells) };
  for (let cell = 0; cell < cells * cells; cell++) decisions.data[9 * cell + 6] = -5;
  decisions.data.set([3, 1], 9 * (20 * cells + 40) + 6);
  const reach = { shape: [1, cells, cells, 1], data: new Float32Array(cells * cells) };
  const place = new Placement({ width: 256, height: 256 }, { step: 1, x: 0, y: 0 });
  const boxes = changedBoxes({ place, reach, steepness: 20 }, decisions);
  // Four pixels a cell, whose middle is at 4 cell + 1.5.
  assert.deepEqual([Math.min(...boxes.map((box) => box.left)), Math.max(...boxes.map((box) => box.right))], [154, 170]);
  assert.deepEqual([boxes[0].top, boxes.at(-1).bottom], [74, 90]);
  decisions.data.fill(0);
  for (let cell = 0; cell < cells * cells; cell++) decisions.data[9 * cell + 8] = 1;
  assert.deepEqual(changedBoxes({ place, reach, steepness: 20 }, decisions), []);
  assert.deepEqual(changedBoxes({ place, reach, steepness: 20 }, NOBODY), [{ left: 0, top: 0, right: 256, bottom: 256 }]);
});
