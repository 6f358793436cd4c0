// Which of the covered pixels a pose may change: as `Compositor._changes` in `tf_unseen_pose/imaging/compositing.py`.
// Maps are {data, shape: [1, h, w, C]}.

export const MASK_FLOOR = 1e-2;
// Below this logit alpha is less than half a level of 255; what a hole, or what is left of stillness, must be to show.
const LEAST_LOGIT = -7, LEAST = 1e-3;
const CHANNELS = 9, ALPHA = 6, COVERAGE = 7, STILLNESS = 8, HOLE_CHANNELS = 4, USED = 3;

/** The decisions about a picture without the person: what they cover is the scene. */
export const NOBODY = { data: Float32Array.of(0, 0, 0, 0, 0, 0, -100, 0, 0), shape: [1, 1, 1, CHANNELS] };

/**
 * The box about the covered pixels that may differ from the photo, {left, top, right, bottom}, the last two being one
 * further; null where there are none.
 */
export function changedBox({ place, hole, steepness }, { data, shape: [, rows, columns] }) {
  const alike = hole.shape[1] === rows && hole.shape[2] === columns;
  const changed = alike ? (row, column) => mayChange(row, column) : () => true;
  let [left, top, right, bottom] = [columns, rows, -1, -1];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!changed(row, column)) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  if (bottom < 0) return null;
  const across = pixelsNear(place, 0, columns, left, right), down = pixelsNear(place, 1, rows, top, bottom);
  return across && down && { left: across[0], right: across[1], top: down[0], bottom: down[1] };

  function mayChange(row, column) {
    let alpha = -Infinity, coverage = 0, stillness = 1;
    for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, rows - 1); y++) {
      for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, columns - 1); x++) {
        const at = CHANNELS * (y * columns + x);
        alpha = Math.max(alpha, data[at + ALPHA]);
        coverage = Math.max(coverage, data[at + COVERAGE]);
        stillness = Math.min(stillness, data[at + STILLNESS]);
      }
    }
    if (stillness >= 1 - LEAST) return false;
    const logit = alpha + Math.log((coverage + MASK_FLOOR) / (1 - coverage + MASK_FLOOR));
    return steepness * logit > LEAST_LOGIT || hole.data[HOLE_CHANNELS * (row * columns + column) + USED] > LEAST;
  }
}

/** The first covered pixel between cells first..last and their neighbours, and one after the last; null without any. */
function pixelsNear(place, axis, cells, first, last) {
  const { low } = place.axis(axis, cells);
  const from = low.findIndex((cell) => cell >= first - 1), to = low.findLastIndex((cell) => cell <= last);
  return from >= 0 && from <= to ? [from, to + 1] : null;
}
