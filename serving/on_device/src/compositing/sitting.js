// A photo that is ready to be shown in any pose: what drawing takes that depends on the photo alone.
// Where a plate fills the hole: the twin of `_grown` and `Compositor._softly` in `tf_unseen_pose/imaging/compositing.py`.

import { boxSum } from '../geometry/box.js';
import { neighbours } from './changes.js';

// By how much more than what is painted a plate shows, in parts of the canvas's side.
const GROWTH = 3 / 128;
const USED = 3;

/**
 * {photo, place, matte, hole, steepness, reach, plate}: of the network's state, maps {data, shape: [1, h, w, C]} and the
 * factor of alpha's logit; a map of one channel, how much of the scene is not the photo's; and what is known to be there
 * instead, RGBA bytes of the covered pixels, alpha telling how far that is to be believed, or null. `plate` is RGBA bytes
 * of the photo's size, transparent where it shows nothing.
 */
export function sittingOf(photo, place, { matte, hole, steepness }, plate = null) {
  const [, rows, columns, channels] = hole.shape;
  const used = { shape: [1, rows, columns, 1], data: hole.data.filter((_, i) => i % channels === USED) };
  const common = { photo, place, matte, hole, steepness };
  if (!plate) return { ...common, reach: used, plate: null };
  const { data, width, height } = place.covered({ data: plate, width: photo.width });
  return { ...common, reach: grown(used), plate: softened(data, width, height, Math.round(place.scale)) };
}

/** A hole, wider and with a softer rim. */
function grown({ data, shape }) {
  const [, rows, columns] = shape, cells = Math.round(GROWTH * Math.min(rows, columns)) + 1;
  let wide = data;
  for (let i = 0; i < cells; i++) wide = neighbours(wide, 1, 0, rows, columns, Math.max);
  const sums = boxSum(wide, columns, rows, 1), counts = boxSum(wide.map(() => 1), columns, rows, 1);
  return { shape, data: sums.map((sum, i) => sum / counts[i]) };
}

/** A plate that is less believed near its end: painted colours would meet it in a step. */
function softened(plate, width, height, radius) {
  const unknown = Float32Array.from({ length: width * height }, (_, i) => (plate[4 * i + 3] ? 0 : 1));
  if (!unknown.includes(1)) return plate;
  const near = boxSum(unknown, width, height, radius).map((count) => Math.min(count, 1));
  boxSum(near, width, height, radius).forEach((count, i) => { plate[4 * i + 3] = 255 * (1 - count / (2 * radius + 1) ** 2); });
  return plate;
}
