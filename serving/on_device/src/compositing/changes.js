// Which of the covered pixels of a photo a pose may change. `Compositor` in
// `tf_unseen_pose/imaging/compositing.py` starts from the painted scene, and so has fewer.
// Maps are {data, shape: [1, h, w, C]}; boxes {left, top, right, bottom}, the last two being one further.

// Below this logit alpha is less than half a level of 255.
export const MASK_FLOOR = 1e-2, LEAST_LOGIT = -7;
// Neighbouring cells that copy from places further apart than this, in pixels of the canvas, show different limbs;
// `tf_unseen_pose/geometry/tears.py` has the formulas.
export const TEAR = 10;
// What a hole, or what is left of stillness, must be to show.
const LEAST = 1e-3;
const CHANNELS = 9, ALPHA = 6, COVERAGE = 7, STILLNESS = 8;

/** The decisions about a picture without the person: what they cover is the scene. */
export const NOBODY = { data: Float32Array.of(0, 0, 0, 0, 0, 0, -100, 0, 0), shape: [1, 1, 1, CHANNELS] };

/** Boxes of the covered pixels, none of them in two, outside which the picture is the photo. */
export function changedBoxes(sitting, decisions) {
  const [, rows, columns] = decisions.shape, changed = changedCells(sitting, decisions);
  const across = firstPixels(sitting.place, 0, columns), down = firstPixels(sitting.place, 1, rows), boxes = [];
  for (let row = 0; row < down.length - 1; row++) {
    const upper = columns * row, lower = columns * Math.min(row + 1, rows - 1);
    const touched = (column) => changed[upper + column] || changed[lower + column];
    for (let column = 0, open = null; column < across.length; column++) {
      // A pixel between cells shows something of both.
      const within = column < across.length - 1 && (touched(column) || touched(Math.min(column + 1, columns - 1)));
      if (within) open ??= across[column];
      else if (open !== null) {
        const box = { left: open, top: down[row], right: across[column], bottom: down[row + 1] };
        if (box.left < box.right && box.top < box.bottom) boxes.push(box);
        open = null;
      }
    }
  }
  return boxes;
}

/** For every cell, the first pixel that lies between it and the next; and one after the last pixel. */
function firstPixels(place, axis, cells) {
  const { low } = place.axis(axis, cells), first = new Array(Math.max(cells - 1, 1) + 1).fill(low.length);
  for (let pixel = low.length - 1; pixel >= 0; pixel--) first[low[pixel]] = pixel;
  for (let cell = first.length - 2; cell >= 0; cell--) first[cell] = Math.min(first[cell], first[cell + 1]);
  return first;
}

/** For every cell of a map whether the picture may differ from the photo there. */
function changedCells({ reach, steepness }, { data, shape: [, rows, columns] }) {
  const result = new Uint8Array(rows * columns).fill(1);
  if (reach.shape[1] !== rows || reach.shape[2] !== columns) return result;
  const over = (channel, choose) => neighbours(data, CHANNELS, channel, rows, columns, choose);
  const alpha = over(ALPHA, Math.max), coverage = over(COVERAGE, Math.max), stillness = over(STILLNESS, Math.min);
  return result.map((_, cell) => {
    const logit = alpha[cell] + Math.log((coverage[cell] + MASK_FLOOR) / (1 - coverage[cell] + MASK_FLOOR));
    const shows = steepness * logit > LEAST_LOGIT || reach.data[cell] > LEAST;
    return shows && stillness[cell] < 1 - LEAST;
  });
}

/** The highest or lowest value of every cell and its eight neighbours, in one of so many channels. */
export function neighbours(data, channels, channel, rows, columns, choose) {
  const along = new Float32Array(rows * columns), result = new Float32Array(rows * columns);
  for (let cell = 0; cell < along.length; cell++) {
    const column = cell % columns, value = (at) => data[channels * at + channel];
    along[cell] = choose(value(cell), value(column ? cell - 1 : cell), value(column < columns - 1 ? cell + 1 : cell));
  }
  for (let cell = 0; cell < along.length; cell++) {
    const before = cell < columns ? cell : cell - columns, after = cell + columns < along.length ? cell + columns : cell;
    result[cell] = choose(along[cell], along[before], along[after]);
  }
  return result;
}
